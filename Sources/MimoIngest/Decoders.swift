/// The log formats, in the order in which a line of an unknown file is offered to them.
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
    AnswerDecoder(),
    ConsoleExportDecoder(),
    PlainDecoder(),
  ]

  /// The same with the user's own names for what plain lines say.
  public static func all(mapping map: FieldMap) -> [any RecordDecoder] {
    all.map { $0 is PlainDecoder ? PlainDecoder(map) : $0 }
  }
}
