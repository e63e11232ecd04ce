import Foundation
import MimoEngine
import Testing

@testable import MimoIngest

/// Exports of a ledger as a log format.
@Suite struct LedgerExportTests {
  private let head =
    #"{"schema":"mimo-top.ledger/1","ledger_origin":"00ff","exported":"2026-11-22T05:16:56Z"}"#
  private let call =
    #"{"ledger_call":"7aa738dd0ac64d02","rank":"request","request":7,"time":"2026-11-20T10:01:00.25Z","source":"codex","model":"m","project":"/p","session":"s","key":"tp-#1f2e3d","input":9,"cache_read":20,"cache_write_1h":3,"output":5,"reasoning":2,"stated_cost":"0.000123"}"#
  private let sum =
    #"{"ledger_sum":"0011223344556677","time":"2026-11-20T10:02:00Z","source":"plain","model":"m","calls":3,"input":60,"output":6,"tells_cache":false,"web_searches":2}"#

  @Test func `a call has what the ledger knew of it`() throws {
    let decoded = Decoded(head + "\n" + call + "\n")
    #expect(decoded.formats == ["ledger"])
    let call = try #require(decoded.calls.first)
    #expect(decoded.calls.count == 1)
    #expect(call.source == "codex" && call.project == "/p" && call.session == "s")
    // A key is shortened once, not again.
    #expect(call.key == "tp-#1f2e3d")
    #expect(
      call.tokens
        == TokenCounts(input: 9, cacheRead: 20, cacheWrite1h: 3, output: 5, reasoning: 2))
    #expect(call.time == 1_795_168_860_250)
  }

  @Test func `a key that somebody wrote into it is shortened`() {
    let secret = "sk-ant-abcdefghijklmnopqrstuvwxyz0123456789"
    let decoded = Decoded(call.replacingOccurrences(of: "tp-#1f2e3d", with: secret) + "\n")
    #expect(decoded.calls[0].key.hasPrefix("sk-ant-#"))
    #expect(!decoded.calls[0].key.contains("abcdef"))
  }

  @Test func `calls and sums count once, however often they are read, and what grew counts more`() {
    func requests(_ texts: String...) -> (requests: Int64, input: Int64) {
      var ledger = Ledger(promptEdges: [])
      for text in texts {
        var decoder = FileDecoder(Decoders.all)
        var output = DecodedLines(readTime: Decoded.readTime)
        var translation = NameTranslation()
        Array(text.utf8).withUnsafeBytes { decoder.decode($0, at: 0, into: &output) }
        translation.record(&output, into: &ledger)
      }
      var sums: (requests: Int64, input: Int64) = (0, 0)
      ledger.snapshot().cube.forEachCell { cell, _ in
        sums.requests += Int64(cell.requests)
        sums.input += cell.tokens.input
      }
      return sums
    }
    let export = [head, call, sum].joined(separator: "\n")
    #expect(requests(export) == (4, 69))
    #expect(requests(export, export, export) == (4, 69))
    let grown = export.replacingOccurrences(
      of: #""calls":3,"input":60"#, with: #""calls":4,"input":80"#)
    #expect(requests(export, grown) == (5, 89))
    #expect(requests(grown, export) == (5, 89))
  }

  @Test func `sums of the ledger's own export are left out`() {
    let export = [head, call, sum].joined(separator: "\n")
    let own = Decoded(export, formats: [LedgerExportDecoder(sums: LedgerSumIntake(own: "00ff"))])
    #expect(own.calls.count == 1)
    let other = Decoded(export, formats: [LedgerExportDecoder(sums: LedgerSumIntake(own: "00fe"))])
    #expect(other.calls.count == 2)
  }

  @Test func `another id makes two calls one`() {
    let also = call.replacingOccurrences(
      of: #""rank":"request","request":7"#, with: #""rank":"message","also":["00000000000000aa"]"#)
    let other =
      #"{"ledger_call":"00000000000000aa","rank":"message","time":"2026-11-20T10:01:09Z","source":"codex","model":"m","input":9,"output":5}"#
    for text in [also + "\n" + other, other + "\n" + also] {
      var ledger = Ledger(promptEdges: [])
      var decoder = FileDecoder(Decoders.all)
      var output = DecodedLines(readTime: Decoded.readTime)
      var translation = NameTranslation()
      Array(text.utf8).withUnsafeBytes { decoder.decode($0, at: 0, into: &output) }
      translation.record(&output, into: &ledger)
      var requests = 0
      ledger.snapshot().cube.forEachCell { cell, _ in requests += Int(cell.requests) }
      #expect(requests == 1)
    }
  }
}
