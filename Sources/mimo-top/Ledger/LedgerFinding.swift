import MimoDashboard
import MimoEngine
import MimoStore

/// What a doctor finds of the ledger.
struct LedgerFinding {
  let path: String
  /// Why it cannot be used, and what to do; `nil` if it can, or is not there yet.
  private(set) var error: StoreError?
  /// What happened when it was opened.
  private(set) var notices: [String] = []
  private(set) var isThere = false
  /// Whether another process keeps it at present.
  private(set) var isHeld = false
  private(set) var bytes: Int64 = 0
  private(set) var calls: Int64 = 0
  /// The names beside it of what was moved out of the way.
  private(set) var setAside: [String] = []

  /// Looks at the ledger of a folder, without beginning one.
  init(folder: String) {
    path = folder + "/ledger.db"
    // Last, because opening may set a damaged one aside.
    defer { setAside = LedgerScratch.setAside(in: folder) }
    do throws(StoreError) {
      let store = try LedgerStore.open(folder: folder, access: .read, now: SystemClock.now)
      isThere = true
      let statistics = try store.statistics()
      store.close()
      (bytes, calls) = (statistics.bytesOnDisk, statistics.requests)
      isHeld = LedgerStore.isHeld(folder: folder)
      guard !isHeld else { return }
      // Whether it can be written shows when somebody wants to.
      let writer = try LedgerStore.open(folder: folder, access: .write, now: SystemClock.now)
      notices =
        writer.notices + LedgerScratch.leftovers(of: folder).map(LedgerScratch.words(about:))
      writer.close()
    } catch .missing {
      return
    } catch .held {
      isHeld = true
    } catch {
      isThere = true
      self.error = error
    }
  }

  /// What is to be said in a line, the path, and what else there is to say.
  var lines: (summary: String, path: String, more: [String]) {
    var notices = notices
    if !setAside.isEmpty {
      notices.append(
        "set aside beside it, and not counted: \(setAside.joined(separator: ", ")); mimo-top ledger merge takes up what can be read of one, and what you do not need may be deleted"
      )
    }
    if let error { return ("cannot be used", path, [error.description] + notices) }
    if !isThere { return ("none yet; mimo-top or mimo-top watch begins one", path, notices) }
    let keeper = isHeld ? "; kept by another mimo-top at present" : ""
    return (
      "\(NumberFormat.bytes(bytes)), \(NumberFormat.counted(calls, "call"))\(keeper)", path, notices
    )
  }

  /// For the document.
  var json: JSONOutput {
    .object([
      ("path", .string(path)), ("found", .bool(isThere)), ("kept_now", .bool(isHeld)),
      ("bytes", .integer(bytes)), ("requests", .integer(calls)),
      ("set_aside", .array(setAside.map(JSONOutput.string))),
      ("error", .text(error?.description)), ("notices", .array(notices.map(JSONOutput.string))),
    ])
  }
}
