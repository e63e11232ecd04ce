import MimoSQLite

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Why the ledger cannot be opened, read or written. Each says where, and what can be done.
public enum StoreError: Error, Hashable, Sendable {
  /// The environment names no folder that a ledger could lie in.
  case homeless
  /// There is no ledger yet.
  case missing(path: String)
  /// Another process writes it; the text says which, as far as it told.
  case held(path: String, by: String)
  /// The folder or file belongs to another user.
  case foreign(path: String)
  /// It is a symbolic link to nowhere, or something that is no file or folder.
  case misplaced(path: String)
  /// The user may not read it or write it.
  case noPermission(path: String)
  /// Nothing can be written there by anybody.
  case readOnly(path: String)
  /// The disk is full, or the user's share of it.
  case diskFull(path: String)
  /// A newer program made it; it is left as it is.
  case newer(path: String, found: Int64, known: Int64)
  /// It is no ledger, or a damaged one. Whoever opens it for writing with `isSuspect` sets it aside.
  case damaged(path: String)
  /// A ledger was refused an answer, so that what it counted since is not to be stored. A new store and a new ledger
  /// count it again.
  case unread(path: String, reason: String)
  /// Another program is in the way for the moment.
  case busy(path: String)
  /// The file was moved, deleted or replaced while it was open, or another writer came.
  case lost(path: String)
  /// More prompt sizes at which a price changes than a ledger can tell apart.
  case tooManyEdges(path: String)
  /// The store was closed.
  case closed(path: String)
  /// Something else, in the words of the system.
  case failed(path: String, reason: String)

  /// The error that a failed call of the system stands for.
  init(path: String, systemError: Int32) {
    self =
      switch systemError {
      case EACCES, EPERM: .noPermission(path: path)
      case EROFS: .readOnly(path: path)
      case ENOSPC, EDQUOT: .diskFull(path: path)
      case ENOENT: .missing(path: path)
      case ELOOP, ENOTDIR, EISDIR: .misplaced(path: path)
      default: .failed(path: path, reason: String(cString: strerror(systemError)))
      }
  }

  init(path: String, _ error: SQLiteError) {
    if error.isDamage || error.isMistake {
      self = .damaged(path: path)
    } else if error.isFull {
      self = .diskFull(path: path)
    } else if error.isReadOnly {
      self = .readOnly(path: path)
    } else if error.isMoved {
      self = .lost(path: path)
    } else if error.isBusy {
      self = .busy(path: path)
    } else if error.isOfSystem, error.systemError != 0 {
      self = StoreError(path: path, systemError: error.systemError)
    } else {
      self = .failed(path: path, reason: error.description)
    }
  }
}

extension StoreError: CustomStringConvertible {
  /// One sentence: what, where, and what to do.
  public var description: String {
    switch self {
    case .homeless:
      "HOME and XDG_STATE_HOME are not set, so there is no place to keep anything; set XDG_STATE_HOME to a folder of your own"
    case .missing(let path): "\(path): there is no ledger yet; `mimo-top watch` begins one"
    case .held(let path, let holder): "\(path): kept by \(holder); this one follows it"
    case .foreign(let path):
      "\(path): belongs to another user and is left alone; set XDG_STATE_HOME to a folder of your own"
    case .misplaced(let path):
      "\(path): is a link to nowhere, or no plain file or folder; remove it, or set XDG_STATE_HOME to another folder"
    case .noPermission(let path):
      "\(path): permission denied; make it yours again (`chmod u+rwX`), or set XDG_STATE_HOME to another folder"
    case .readOnly(let path):
      "\(path): cannot be written; set XDG_STATE_HOME to a folder on another disk"
    case .diskFull(let path): "\(path): the disk is full; make room, nothing stored is lost"
    case .newer(let path, let found, let known):
      "\(path): made by a newer mimo-top (form \(found), this one knows \(known)); update mimo-top"
    case .damaged(let path):
      "\(path): damaged; it is set aside at the next start, and `mimo-top ledger rebuild` recounts what logs still tell"
    case .unread(let path, let reason):
      "\(path): could not be read; what was counted since is counted again (\(reason))"
    case .busy(let path): "\(path): another program has locked it; it is tried again"
    case .lost(let path):
      "\(path): was moved, deleted, or is written by another program now; start again to go on with what is there"
    case .tooManyEdges(let path):
      "\(path): more than 254 prompt sizes at which some price changes; remove old price files and `mimo-top ledger rebuild`"
    case .closed(let path): "\(path): is closed already"
    case .failed(let path, let reason): "\(path): \(reason)"
    }
  }
}
