import CEmbedded

/// The price and plan files that are part of the program; they are registered in `CEmbedded.c`.
enum BuiltIn {
  /// The price lists, in the order in which they are asked for a model that several of them have.
  static var prices: [CatalogFile] { files(CEmbeddedPrices) }
  /// The plans.
  static var plans: [CatalogFile] { files(CEmbeddedPlans) }

  /// The classes of models that stand for each other.
  static var classes: [CatalogFile] { files(CEmbeddedClasses) }

  private static func files(_ table: (Int) -> CEmbeddedFile) -> [CatalogFile] {
    var files: [CatalogFile] = []
    while true {
      let file = table(files.count)
      guard let name = file.name, let bytes = file.bytes else { return files }
      files.append(
        CatalogFile(
          name: String(cString: name),
          bytes: Array(UnsafeBufferPointer(start: bytes, count: file.length))))
    }
  }
}
