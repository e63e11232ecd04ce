/// The log formats, in the order in which a line, document or database of an unknown file is offered to them.
public enum Decoders {
  /// A format that recognises more specific lines stands before one that would also accept them.
  public static let all: [any RecordDecoder] = [
    ClaudeCodeDecoder(),
    CodexDecoder(),
    OpenClawDecoder(),
    QwenCodeDecoder(),
    GeminiCLIDecoder(),
    KimiDecoder(),
    LiteLLMDecoder(),
    OpenRouterGenerationDecoder(),
    TelemetryDecoder(),
    SGLangDecoder(),
    HeliconeDecoder(),
    LangfuseDecoder(),
    LedgerExportDecoder(),
    AnswerDecoder(),
    ConsoleExportDecoder(),
    PlainDecoder(),
  ]

  /// Formats whose files are rewritten. What none of them recognises is offered as lines.
  static let documents: [any DocumentDecoder.Type] = [
    ClineTasks.self,
    ClineCLI.self,
    OpenCodeMessages.self,
    GeminiCLIDocument.self,
    HermesRows.self,
  ]

  /// Formats in databases.
  static let databases: [any DatabaseReader.Type] = [
    MimoCodeDatabase.self,
    OpenCodeDatabase.self,
    HermesDatabase.self,
  ]
}
