import Foundation
import MimoScreen
import Testing

@testable import MimoDashboard

@Suite struct ThemeTests {
  @Test func `every file in themes is in the program as it is, and no other`() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("themes")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(Themes.files.map(\.name).sorted() == names.sorted())
    for file in Themes.files {
      let bytes = try Data(contentsOf: folder.appendingPathComponent(file.name))
      #expect(Data(file.bytes) == bytes, "\(file.name)")
    }
  }

  @Test func `the built-in themes have no problems, and the default is the first`() throws {
    var problems: [Theme.Problem] = []
    let themes = Themes.load(problems: &problems)
    for (file, theme) in zip(Themes.files, themes) {
      // They are read when they are looked at, under the name of their file.
      let read = try Theme(file: file.name, bytes: file.bytes, problems: &problems)
      #expect(read.name == theme.name)
      for role in Role.allCases { #expect(read.palette[role.style] == theme.palette[role.style]) }
    }
    #expect(problems.isEmpty)
    #expect(themes.count == Themes.files.count)
    #expect(themes.first?.name == "default")
  }

  @Test(arguments: Themes.files.map(\.name))
  func `in every theme what matters looks different from plain text`(name: String) throws {
    var problems: [Theme.Problem] = []
    let file = try #require(Themes.files.first { $0.name == name })
    let theme = try Theme(file: name, bytes: file.bytes, problems: &problems)
    for role in [Role.banner, .selected, .tableHeader, .warning, .critical, .title, .key] {
      #expect(theme.palette[role.style] != theme.palette[.plain], "\(role)")
    }
    #expect(
      theme.palette[Role.banner.style] != theme.palette[Role.selected.style]
        || name == "monochrome.json")
  }

  @Test func `a role that is not mentioned looks like its parent`() throws {
    let theme = try read(
      #"{"name": "x", "roles": {"value": {"fg": 7}, "warning": {"fg": 3, "bold": true}}}"#)
    #expect(theme.palette[Role.money.style] == Style(foreground: .indexed(7)))
    #expect(theme.palette[Role.rateHigh.style] == Style(foreground: .indexed(7)))
    #expect(theme.palette[Role.banner.style].attributes == [.bold])
    #expect(theme.palette[Role.label.style] == .plain)
  }

  @Test func `every role has an end of its parents`() {
    for role in Role.allCases {
      var steps = 0
      var ancestor: Role? = role
      while let here = ancestor {
        ancestor = here.parent
        steps += 1
        #expect(steps < 10)
        if steps >= 10 { break }
      }
    }
  }

  @Test(arguments: [
    ("\"#ff8000\"", Color.rgb(255, 128, 0)), ("\"#FF8000\"", .rgb(255, 128, 0)),
    ("214", .indexed(214)), ("0", .indexed(0)), ("\"default\"", .default),
    ("\"magenta\"", .indexed(5)), ("\"ink\"", .indexed(252)), ("\"alias\"", .indexed(252)),
    ("\"red\"", .rgb(1, 2, 3)),
  ])
  func `a colour`(text: String, color: Color) throws {
    let theme = try read(
      ##"{"name": "x", "palette": {"ink": 252, "alias": "ink", "red": "#010203"}, "roles": {"title": {"fg": \##(text)}}}"##
    )
    #expect(theme.palette[Role.title.style].foreground == color)
  }

  @Test func `all attributes`() throws {
    let theme = try read(
      #"{"name": "x", "roles": {"title": {"bold": true, "dim": true, "italic": true, "underline": true, "reverse": true, "bg": 4}, "key": {"bold": false}}}"#
    )
    #expect(
      theme.palette[Role.title.style]
        == Style(
          background: .indexed(4), attributes: [.bold, .dim, .italic, .underline, .reverse]))
    #expect(theme.palette[Role.key.style] == .plain)
  }

  @Test(arguments: [
    "256", "-1", "\"#12345\"", "\"#12345g\"", "\"#+12345\"", "\"pink\"", "\"loop\"",
  ])
  func `what is no colour is named and left out`(text: String) throws {
    var problems: [Theme.Problem] = []
    let theme = try read(
      #"{"name": "x", "palette": {"loop": "loop"}, "roles": {"title": {"fg": \#(text)}}}"#,
      problems: &problems)
    let shown = text.filter { $0 != "\"" }
    #expect(
      problems.map(\.description) == [
        "mine.json: '\(shown)' in roles.title.fg is no colour; #rrggbb, a number up to 255 or a name of the palette is expected"
      ])
    #expect(theme.palette[Role.title.style].foreground == .default)
  }

  @Test func `a role that does not exist is named and left out`() throws {
    var problems: [Theme.Problem] = []
    _ = try read(#"{"name": "x", "roles": {"headline": {"fg": 1}}}"#, problems: &problems)
    #expect(
      problems.map(\.description) == ["mine.json: there is no role 'headline'; it is ignored"])
  }

  @Test func `a file without a field names it`() {
    #expect(
      problem(#"{"roles": {}}"#)
        == "mine.json: the field 'name' is missing; the built-in theme is used")
    #expect(
      problem(#"{"name": "x"}"#)
        == "mine.json: the field 'roles' is missing; the built-in theme is used")
  }

  @Test(arguments: [
    (#"{"name": 3, "roles": {}}"#, "name"),
    (#"{"name": "x", "roles": {"title": {"bold": "yes"}}}"#, "roles.title.bold"),
    (#"{"name": "x", "roles": {"title": {"fg": true}}}"#, "roles.title.fg"),
    (#"{"name": "x", "roles": []}"#, "roles"),
    (#"{"name": "x", "roles": {"title": 3}}"#, "roles.title"),
  ])
  func `a field of the wrong kind is named`(text: String, field: String) {
    let found = problem(text)
    #expect(found.hasPrefix("mine.json: '\(field)' has the wrong kind of value ("), "\(found)")
    #expect(found.hasSuffix("); the built-in theme is used"))
  }

  @Test(arguments: ["", "{", "not json", "[1, 2]", "null", "{\"name\": \"x\", \"roles\": {}} x"])
  func `what is no theme at all is refused with its name`(text: String) {
    let found = problem(text)
    #expect(found.hasPrefix("mine.json: "), "\(found)")
    #expect(found.hasSuffix("the built-in theme is used"), "\(found)")
    #expect(!found.contains("''"), "\(found)")
  }

  @Test func `a broken file of the user leaves ours as they are`() {
    var problems: [Theme.Problem] = []
    let themes = Themes.load(user: [("mine.json", Array("{".utf8))], problems: &problems)
    #expect(themes.count == Themes.files.count)
    #expect(problems.count == 1)
  }

  @Test func `a theme of the user wins over ours of the same name, others come behind`() {
    var problems: [Theme.Problem] = []
    let themes = Themes.load(
      user: [
        ("a.json", Array(#"{"name": "light", "roles": {"title": {"fg": 9}}}"#.utf8)),
        ("b.json", Array(#"{"name": "mine", "roles": {}}"#.utf8)),
      ], problems: &problems)
    #expect(problems.isEmpty)
    #expect(themes.map(\.name) == ["default", "light", "terminal", "monochrome", "mine"])
    #expect(themes[1].palette[Role.title.style].foreground == .indexed(9))
  }

  private func read(_ text: String, problems: inout [Theme.Problem]) throws -> Theme {
    try Theme(file: "mine.json", bytes: Array(text.utf8), problems: &problems)
  }

  private func read(_ text: String) throws -> Theme {
    var problems: [Theme.Problem] = []
    let theme = try read(text, problems: &problems)
    #expect(problems.isEmpty)
    return theme
  }

  private func problem(_ text: String) -> String {
    do {
      _ = try read(text)
      return "no problem"
    } catch {
      return "\(error)"
    }
  }
}
