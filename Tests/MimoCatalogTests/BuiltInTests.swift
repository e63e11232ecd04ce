import Foundation
import MimoEngine
import Testing

@testable import MimoCatalog

@Suite struct BuiltInTests {
  @Test func `our own files have no mistakes`() {
    #expect(catalog.problems.map(\.description) == [])
  }

  @Test func `every price file of the folder is registered`() throws {
    #expect(Set(BuiltIn.prices.map(\.name)) == (try names(in: "Sources/MimoCatalog/prices")))
  }

  @Test func `every plan file of the folder is registered`() throws {
    #expect(Set(BuiltIn.plans.map(\.name)) == (try names(in: "Sources/MimoCatalog/plans")))
  }

  @Test func `the compiled-in text is the text of the file`() throws {
    for (folder, files) in [("prices", BuiltIn.prices), ("plans", BuiltIn.plans)] {
      for file in files {
        let path = packageFolder.appending(path: "Sources/MimoCatalog/\(folder)/\(file.name)")
        #expect(Array(try Data(contentsOf: path)) == file.bytes, "\(file.name)")
      }
    }
  }

  @Test func `a price file is named after its provider`() {
    for file in BuiltIn.prices {
      let id = PriceFile(name: file.name, bytes: file.bytes).provider?.id
      #expect(file.name == "\(id ?? "")-prices.json")
    }
  }

  @Test func `the stated date is that of the newest file`() {
    let dates =
      BuiltIn.prices.map { PriceFile(name: $0.name, bytes: $0.bytes).asOf }
      + BuiltIn.plans.map { PlanFile(name: $0.name, bytes: $0.bytes).asOf }
    #expect(dates.compactMap { $0 }.max() == Catalog.asOf)
    #expect(!dates.contains(nil))
  }

  @Test func `every entry says where it comes from`() {
    let entries = catalog.book.providers.flatMap { $0.models.flatMap(\.entries) }
    let evidence =
      entries.map(\.evidence)
      + catalog.plans.flatMap { plan in
        plan.versions.map(\.evidence) + plan.offPeak.map(\.evidence)
          + plan.models.flatMap { $0.entries.map(\.evidence) }
      }
    #expect(evidence.count > 150)
    #expect(evidence.allSatisfy { !$0.sources.isEmpty })
  }

  @Test func `no two providers have a name in common`() {
    let names = catalog.book.providers.flatMap { provider in
      Set(([provider.id] + provider.aliases).map { $0.lowercased() })
    }
    #expect(Set(names).count == names.count)
  }

  @Test func `every model of a plan is in its provider's list`() {
    for plan in catalog.plans {
      for model in plan.models {
        #expect(catalog.book.model(named: model.id, soldBy: plan.provider ?? "") != nil)
      }
    }
  }

  private func names(in folder: String) throws -> Set<String> {
    let path = packageFolder.appending(path: folder).path(percentEncoded: false)
    return Set(try FileManager.default.contentsOfDirectory(atPath: path)).filter {
      $0.hasSuffix(".json")
    }
  }
}
