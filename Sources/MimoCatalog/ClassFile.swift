import MimoEngine

/// One file of model classes: `mimo-top.model-classes/1`.
struct ClassFile {
  static let schema = "mimo-top.model-classes/1"

  /// The classes that could be used.
  private(set) var classes: [ModelMap.Class] = []
  /// The mistakes in the file.
  var problems: [CatalogProblem] { log.problems }
  private var log: ProblemLog

  /// Reads a file. Models and providers that `book` does not know are reported and left out.
  init(name: String, bytes: [UInt8], book: PriceBook) {
    log = ProblemLog(file: name)
    let root: JSONValue
    do throws(JSONValue.SyntaxError) { root = try JSONValue.parse(bytes) } catch {
      log.add(Rejection(line: error.line, expected: error.expected), .fileSkipped)
      return
    }
    do throws(Rejection) { try read(root, book) } catch { log.add(error, .fileSkipped) }
  }

  private mutating func read(_ root: JSONValue, _ book: PriceBook) throws(Rejection) {
    let fields = try Fields(root, known: ["schema", "as_of", "note", "classes"])
    guard try fields.text("schema") == Self.schema else {
      throw fields.rejection("schema", "\"\(Self.schema)\"")
    }
    for (index, value) in try fields.list("classes").enumerated() {
      do throws(Rejection) {
        let fields = try Fields(value, known: ["id", "members"])
        var members: [String: [String]] = [:]
        for (provider, list) in try fields.object("members").sorted(by: { $0.key < $1.key }) {
          guard case .array(let values) = list.kind else {
            throw Rejection(
              line: list.line, field: provider, expected: "a list, not \(list.kindName)")
          }
          for value in values {
            guard case .string(let model) = value.kind,
              book.model(named: model, soldBy: provider) != nil
            else {
              log.add(
                Rejection(
                  line: value.line, field: provider,
                  expected: "the id of a model with a price there"),
                in: "class \(index + 1)")
              continue
            }
            members[provider, default: []].append(model)
          }
        }
        classes.append(ModelMap.Class(id: try fields.requiredText("id"), members: members))
      } catch { log.add(error, in: "class \(index + 1)") }
    }
  }
}
