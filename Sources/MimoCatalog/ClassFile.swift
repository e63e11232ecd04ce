import MimoEngine

/// One file of model classes: `mimo-top.model-classes/1`.
struct ClassFile {
  static let schema = "mimo-top.model-classes/1"

  /// The classes that could be used.
  private(set) var classes: [ModelMap.Class] = []
  /// Least and most tokens that another tokeniser makes of one, if the file says.
  private(set) var tokenRatio: ClosedRange<Ratio>?
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
    let fields = try Fields(root, known: ["schema", "as_of", "note", "token_ratio", "classes"])
    guard try fields.text("schema") == Self.schema else {
      throw fields.rejection("schema", "\"\(Self.schema)\"")
    }
    if let value = fields.value("token_ratio") {
      do throws(Rejection) { tokenRatio = try tokenRatio(value) } catch { log.add(error, in: "") }
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

  private func tokenRatio(_ value: JSONValue) throws(Rejection) -> ClosedRange<Ratio> {
    let fields = try Fields(value, known: ["low", "high"])
    func ratio(_ name: String) throws(Rejection) -> Ratio {
      guard let number = try fields.decimal(name), number.digits > 0, number.decimals <= 6,
        number.digits <= 100 * ExactDecimal.power(number.decimals),
        let ratio = Ratio(Int64(number.digits), Int64(ExactDecimal.power(number.decimals)))
      else { throw fields.rejection(name, "a factor in quotes, such as \"1.25\"") }
      return ratio
    }
    let (low, high) = (try ratio("low"), try ratio("high"))
    guard low <= high else { throw fields.rejection("high", "a factor not less than \"low\"") }
    return low...high
  }
}
