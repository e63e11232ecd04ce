import MimoEngine
import MimoScreen
import MimoTestSupport
import Testing

@testable import MimoDashboard

@Suite struct PlanKeyTests {
  @Test func `p steps through all plans and around`() {
    var model = Model.made()
    for index in 1...model.plans.count {
      model.type("p")
      #expect(model.planIndex == index % model.plans.count)
    }
  }

  @Test func `P steps back, from the first plan to the last`() {
    var model = Model.made()
    model.type("P")
    #expect(model.planIndex == model.plans.count - 1)
    model.type("P")
    #expect(model.planIndex == model.plans.count - 2)
  }

  @Test func `a plan re-prices everything at once and asks for nothing but to be remembered`() {
    var model = Model.made()
    model.planIndex = model.index(of: "as-billed CNY")
    model.derive()
    #expect(model.line(with: "all time").contains("¥2.32"))
    #expect(model.line(with: "alpha-pro ").contains("¥2.16"))
    #expect(model.line(with: "11:59:30 alpha-pro").contains("¥0.0655"))

    #expect(model.type("p") == [.saveChoice(plan: "alpha-payg", currency: .usd)])
    #expect(model.plan.name == "Alpha pay-as-you-go USD")
    #expect(model.line(with: "all time").contains("$0.331"))
    #expect(model.line(with: "alpha-pro ").contains("$0.309"))
    #expect(model.line(with: "11:59:30 alpha-pro").contains("$0.00936"))
  }

  @Test func `every plan gives the report that the engine gives`() {
    var model = Model.made()
    for choice in model.plans {
      let report = Report(
        of: model.snapshot, tariff: model.tariff(choice), window: nil, by: .model)
      #expect(model.plan.name == choice.name)
      #expect(model.figures.report?.totals == report.totals)
      #expect(
        model.figures.rows.map(\.measures.costFemto).sorted()
          == report.rows.map(\.measures.costFemto).sorted())
      model.type("p")
    }
  }

  @Test func `under credits each row has its money beside it`() throws {
    var model = Model.made(plan: "small USD")
    let row = try #require(model.figures.rows.first { $0.key == "alpha-mini" })
    #expect(NumberFormat.credits(row.measures.cost) == "224k")
    #expect(NumberFormat.money(row.money, .usd) == "$0.0224")
    model.type("0")
    #expect(model.figures.moneyReport == nil)
  }

  @Test func `0 goes back to as billed in the same currency`() {
    var model = Model.made(plan: "small CNY")
    model.type("0")
    #expect(model.plan.name == "As billed CNY")
    model.planIndex = model.index(of: "beta-payg USD")
    model.type("0")
    #expect(model.plan.name == "As billed USD")
  }

  @Test func `c changes the currency and keeps the plan`() {
    var model = Model.made(plan: "small USD")
    model.type("c")
    #expect(model.plan.name == "Alpha small CNY")
    model.type("c")
    #expect(model.plan.name == "Alpha small USD")
  }

  @Test func `c says that a plan has no other currency`() {
    var model = Model.made(plan: "beta-payg USD")
    model.type("c")
    #expect(model.plan.name == "Beta pay-as-you-go USD")
    #expect(model.message?.text == "Beta pay-as-you-go has no prices in another currency")
  }

  @Test func `= pins the plan and pins it off again`() {
    var model = Model.made(plan: "alpha-payg USD")
    model.type("=")
    #expect(model.referenceIndex == model.planIndex)
    #expect(model.message?.text == "reference: Alpha pay-as-you-go USD")
    model.type("=")
    #expect(model.referenceIndex == nil)
    #expect(model.message?.text == "no reference plan")
  }

  @Test func `another plan can be pinned over the first`() {
    var model = Model.made()
    model.type("=p=")
    #expect(model.referenceIndex == 1)
  }

  @Test func `dearer than the reference is a plus, cheaper a minus`() {
    var model = Model.made(priced)
    model.type("=")
    model.planIndex = model.index(of: "small USD")
    model.derive()
    #expect(model.line(with: "vs As billed").contains("+$5.99"))
    model.type("=0")
    #expect(model.line(with: "vs Alpha small").contains("-$5.99"))
  }

  @Test func `the pinned plan is the same as itself, whatever has no price`() {
    var model = Model.made()
    model.type("=")
    #expect(model.line(with: "vs As billed").contains("the same"))
  }

  @Test func `plans of one price are the same`() {
    var model = Model.made(priced)
    model.type("=")
    model.planIndex = model.index(of: "alpha-payg USD")
    model.derive()
    #expect(model.line(with: "vs As billed").contains("the same"))
  }

  @Test func `a difference across currencies is unknown`() {
    var model = Model.made(priced)
    model.type("=p")
    #expect(model.line(with: "vs As billed").contains(" ?│"))
  }

  @Test func `a difference of which a part has no price is unknown`() {
    var model = Model.made()
    model.type("=")
    model.planIndex = model.index(of: "small USD")
    model.derive()
    #expect(model.line(with: "vs As billed").contains(" ?│"))
  }

  private var priced: MadeUpUsage {
    var usage = MadeUpUsage()
    usage.call("alpha-pro", fresh: 1000, read: 90_000, output: 500)
    return usage
  }
}

@Suite struct PlanListTests {
  @Test func `the list opens at the active plan with all that can price any of it`() {
    var model = Model.made(plan: "small USD")
    model.type("l")
    #expect(model.overlay == .plans)
    #expect(model.overlayState.selected == model.planIndex)
    #expect(model.figures.listedPlans.sorted() == Array(model.plans.indices))
    model.type("l")
    #expect(model.overlay == nil)
    #expect(model.figures.comparison == nil)
  }

  @Test func `Enter takes the chosen plan and closes the list`() {
    var model = Model.made()
    model.type("ljj")
    let chosen = model.overlayState.selected
    #expect(chosen == model.figures.listedPlans[place(in: model, of: 0) + 2])
    model.press(.enter)
    #expect(model.planIndex == chosen && chosen != 0)
    #expect(model.overlay == nil)
    model.type("=")
    #expect(model.activeQuote?.money != nil)
    #expect(model.activeQuote?.money == model.figures.reference?.money)
  }

  @Test func `Esc closes the list and keeps the plan`() {
    var model = Model.made()
    model.type("ljj")
    model.press(.escape)
    #expect(model.planIndex == 0)
    #expect(model.overlay == nil)
  }

  @Test func `= in the list pins the chosen plan, and off again`() {
    var model = Model.made()
    model.type("lj=")
    #expect(model.referenceIndex == model.overlayState.selected && model.referenceIndex != 0)
    #expect(model.planIndex == 0)
    model.type("=")
    #expect(model.referenceIndex == nil)
  }

  @Test func `p in the list moves the choice along`() {
    var model = Model.made()
    model.type("lp")
    #expect(model.planIndex == 1)
    #expect(model.overlayState.selected == 1)
  }

  @Test func `the list ends at both ends`() {
    var model = Model.made()
    model.type("l")
    model.press(.home, .up)
    #expect(model.overlayState.selected == model.figures.listedPlans.first)
    model.press(.end, .down, .pageDown)
    #expect(model.overlayState.selected == model.figures.listedPlans.last)
  }

  @Test func `the money of the list follows the window`() {
    var usage = MadeUpUsage()
    usage.call("alpha-pro", minutesAgo: 300, fresh: 1_000_000)
    usage.call("alpha-pro", minutesAgo: 5, fresh: 1_000_000)
    var model = Model.made(usage)
    model.type("l")
    #expect(model.figures.comparison?.reference.money == Amount(whole: 2))
    model.type("w")
    #expect(model.window == .hour)
    #expect(model.figures.comparison?.reference.money == Amount(whole: 1))
  }

  @Test func `the cheapest that prices all of it comes first`() {
    var usage = MadeUpUsage()
    usage.call("alpha-pro", fresh: 1_000_000)
    var model = Model.made(usage)
    model.type("l")
    let names = model.figures.listedPlans.map { model.plans[$0].name }
    #expect(
      names.prefix(4) == [
        "As billed USD", "Alpha pay-as-you-go USD", "Alpha small USD", "Alpha large USD",
      ])
    #expect(!names.contains("Beta pay-as-you-go USD"), "it sells none of this")
  }

  @Test func `p passes over lists that price none of it`() {
    var usage = MadeUpUsage()
    usage.call("beta-large", fresh: 1_000_000)
    var model = Model.made(usage)
    var seen: Set<String> = []
    for _ in model.plans {
      model.type("p")
      seen.insert(model.plan.name)
    }
    #expect(seen.contains("Beta pay-as-you-go USD") && seen.contains("Alpha small USD"))
    #expect(!seen.contains("Alpha pay-as-you-go USD"))
    model.modelMap = MadeUpUsage.modelMap
    for _ in model.plans {
      model.type("P")
      seen.insert(model.plan.name)
    }
    #expect(seen.contains("Alpha pay-as-you-go USD"), "one of its models can stand for it")
  }

  private func place(in model: Model, of plan: Int) -> Int {
    model.figures.listedPlans.firstIndex(of: plan)!
  }
}

@Suite struct TableKeyTests {
  @Test func `w and W step through the windows and around`() {
    var model = Model.made()
    var seen: [WindowChoice] = []
    for _ in WindowChoice.allCases {
      model.type("w")
      seen.append(model.window)
    }
    #expect(seen == [.hour, .today, .day, .week, .month, .all])
    model.type("W")
    #expect(model.window == .month)
  }

  @Test func `each window holds what lies in it`() {
    var usage = MadeUpUsage()
    for minutes in [30, 11 * 60, 23 * 60, 6 * 1440, 13 * 1440, 40 * 1440] {
      usage.call("alpha-pro", minutesAgo: minutes, fresh: 1)
    }
    var model = Model.made(usage)
    var counts: [Int64] = []
    for _ in WindowChoice.allCases {
      model.type("w")
      counts.append(model.figures.report!.totals.requests)
    }
    #expect(counts == [1, 2, 3, 4, 5, 6])
  }

  @Test func `limits from the command line clip every window`() {
    var usage = MadeUpUsage()
    for minutes in [30, 90, 150] { usage.call("alpha-pro", minutesAgo: minutes, fresh: 1) }
    var model = Model.made(usage)
    let now = MadeUpUsage.now.minute
    model.limits = now.advanced(by: -100)..<now.advanced(by: -60)
    model.figures.heavyKey = nil
    model.derive()
    #expect(model.figures.report?.totals.requests == 1)
    #expect(model.windowName == "given time")
    model.type("w")
    #expect(model.figures.report?.totals.requests == 0)
  }

  @Test func `g and G step through the groupings and around`() {
    var model = Model.made()
    var seen: [Grouping] = []
    for _ in Model.groupings {
      model.type("g")
      seen.append(model.grouping)
    }
    #expect(seen == [.project, .session, .provider, .source, .key, .day, .model])
    model.type("G")
    #expect(model.grouping == .day)
  }

  @Test func `a new grouping begins at its first row`() {
    var model = Model.made()
    model.type("jjg")
    #expect(model.state(.breakdown) == PanelState())
  }

  @Test func `s steps through the orders and each sorts by its column`() {
    var model = Model.made()
    #expect(keys(model) == ["beta-large", "alpha-pro", "alpha-mini", evil, "gamma-9"])
    model.type("s")
    #expect(model.sorting == .requests)
    #expect(keys(model).prefix(2) == ["alpha-mini", "alpha-pro"])
    model.type("s")
    #expect(model.sorting == .tokens)
    #expect(keys(model).prefix(2) == ["alpha-pro", "alpha-mini"])
    model.type("s")
    #expect(model.sorting == .hitRate)
    #expect(keys(model).prefix(2) == ["alpha-pro", "alpha-mini"])
    model.type("s")
    #expect(model.sorting == .name)
    #expect(keys(model) == ["alpha-mini", "alpha-pro", "beta-large", evil, "gamma-9"])
    model.type("s")
    #expect(model.sorting == .cost)
  }

  @Test func `r turns each order around`() {
    // Of cost and requests two rows have the same; equal rows keep the order of their names.
    for column in [BreakdownColumn.tokens, .hitRate, .name] {
      var model = Model.made()
      model.sorting = column
      model.derive()
      let before = keys(model)
      model.type("r")
      #expect(keys(model) == before.reversed())
      model.type("r")
      #expect(keys(model) == before)
    }
  }

  @Test func `an unknown name comes last whatever the order of names`() {
    var model = Model.made()
    model.grouping = .project
    model.sorting = .name
    model.derive()
    #expect(keys(model).last == .some(nil))
  }

  @Test func `arrows and letters move the choice and stop at the ends`() {
    var model = Model.made()
    model.press(.up)
    #expect(model.state(.breakdown).selected == 0)
    model.press(.down, .character("j"))
    #expect(model.state(.breakdown).selected == 2)
    model.press(.character("k"))
    #expect(model.state(.breakdown).selected == 1)
    model.press(.end, .down)
    #expect(model.state(.breakdown).selected == 4)
    model.press(.home)
    #expect(model.state(.breakdown).selected == 0)
    model.press(.pageDown)
    #expect(model.state(.breakdown).selected == 4)
    model.press(.pageUp)
    #expect(model.state(.breakdown).selected == 0)
  }

  @Test func `Tab and Shift-Tab move the focus, and the arrows follow it`() {
    var model = Model.made()
    model.press(.tab, .down, .down)
    #expect(model.focus == .requests)
    #expect(model.state(.requests).selected == 2)
    #expect(model.state(.breakdown).selected == 0)
    model.press(.backTab)
    #expect(model.focus == .breakdown)
  }

  @Test func `keys do no harm before there is any usage`() {
    for binding in Keymap.bindings {
      for key in binding.keys {
        var model = Model.made(MadeUpUsage())
        model.press(key, .tab, key, .enter, key, .escape, key)
        #expect(view(model).size == model.size)
      }
    }
  }

  private var evil: String { "evil\u{1B}[31m\u{7}\u{202E}model" }
  private func keys(_ model: Model) -> [String?] { model.figures.rows.map(\.key) }
}

@Suite struct DrillDownTests {
  @Test func `Enter shows only the chosen row, by the next grouping, and Esc returns`() {
    var model = Model.made()
    model.press(.down, .enter)
    #expect(model.filters == [UsageFilter(.model, equals: "alpha-pro")])
    #expect(model.grouping == .project)
    #expect(model.figures.rows.map(\.key) == ["/home/ana/shop"])
    model.press(.enter)
    #expect(model.filters.count == 2)
    #expect(model.grouping == .session)
    model.press(.escape)
    #expect(model.grouping == .project)
    #expect(model.filters.count == 1)
    model.press(.backspace)
    #expect(model.filters.isEmpty)
    #expect(model.grouping == .model)
    #expect(model.figures.rows.count == 5)
    model.press(.escape)
    #expect(model.grouping == .model)
  }

  @Test func `a row that the log does not name can be chosen too`() {
    var model = Model.made()
    model.type("g")
    model.press(.end, .enter)
    #expect(model.filters == [UsageFilter(.project, equals: "")])
    #expect(model.figures.report?.totals.requests == 1)
    #expect(model.text.contains("project=(not stated)"))
  }

  @Test func `a day can be chosen`() {
    var usage = MadeUpUsage()
    usage.call("alpha-pro", minutesAgo: 5, fresh: 10)
    usage.call("alpha-pro", minutesAgo: 2000, fresh: 20)
    var model = Model.made(usage)
    model.grouping = .day
    model.sorting = .name
    model.derive()
    model.press(.enter)
    #expect(model.filters == [UsageFilter(.day, equals: "2026-10-14")])
    #expect(model.figures.report?.totals.tokens.input == 20)
  }

  @Test func `the sum of a selection is not called by the name of the window`() {
    var model = Model.made()
    #expect(model.line(with: "all time ").contains("$0.946"))
    model.press(.enter)
    #expect(model.line(with: "selected").contains("$0.615"))
  }

  @Test func `on a request Enter shows how its cost was made`() {
    var model = Model.made()
    model.press(.tab, .down, .enter)
    #expect(model.overlay == .trace)
    #expect(model.text.contains("48,000 x 0.1 per million = 0.0048"))
  }

  @Test func `the explained request stays while others come in`() {
    var usage = MadeUpUsage.busy
    var model = Model.made(usage)
    model.press(.tab, .enter)
    let before = model.line(with: "│ fresh  ")
    usage.call("beta-large", minutesAgo: 0, fresh: 77, output: 7)
    _ = update(&model, .usage(usage.ledger.snapshot(), .oneLog))
    #expect(model.line(with: "11:59:50Z") != "")
    #expect(model.line(with: "│ fresh  ") == before)
  }

  @Test func `the explained request is priced by the plan that is active`() {
    var model = Model.made()
    model.press(.tab, .down, .enter)
    #expect(model.line(with: " cost  ").contains("0.00936 USD"))
    model.planIndex = model.index(of: "small USD")
    model.derive()
    #expect(model.line(with: " cost  ").contains("9360 credits"))
  }
}

@Suite struct OverlayTests {
  static let keys: [(Character, Overlay)] = [
    ("?", .help), ("l", .plans), ("a", .alerts), ("i", .files),
  ]

  @Test(arguments: keys.indices) func `its key opens and closes each overlay`(_ index: Int) {
    let (key, overlay) = Self.keys[index]
    var model = Model.made()
    model.type(String(key))
    #expect(model.overlay == overlay)
    model.type(String(key))
    #expect(model.overlay == nil)
  }

  @Test(arguments: keys.indices) func `q closes what lies on top before it leaves`(_ index: Int) {
    var model = Model.made()
    #expect(model.type(String(Self.keys[index].0) + "q") == [])
    #expect(model.overlay == nil)
    #expect(model.type("q") == [.quit])
  }

  @Test(arguments: keys.indices) func `Ctrl-C leaves at once`(_ index: Int) {
    var model = Model.made()
    model.type(String(Self.keys[index].0))
    #expect(model.press(.control("c")) == [.quit])
  }

  @Test(arguments: [Key.character("q"), .function(10), .control("c")])
  func `the keys that leave do`(key: Key) {
    var model = Model.made()
    #expect(model.press(key) == [.quit])
  }

  @Test(arguments: [Key.character("h"), .character("?"), .function(1)])
  func `help has three keys`(key: Key) {
    var model = Model.made()
    model.press(key)
    #expect(model.overlay == .help)
  }

  @Test func `one overlay follows another`() {
    var model = Model.made()
    model.type("?a")
    #expect(model.overlay == .alerts)
  }

  @Test func `an overlay scrolls from its beginning to its end and no further`() {
    var model = Model.made()
    model.type("?")
    let top = model.text
    model.press(.up)
    #expect(model.text == top)
    model.press(.end)
    let end = model.text
    #expect(end.contains("saved "))
    model.press(.down, .pageDown)
    #expect(model.text == end)
    model.press(.up)
    #expect(model.text != end)
    model.press(.home)
    #expect(model.text == top)
  }

  @Test func `Esc closes an overlay before it widens the selection`() {
    var model = Model.made()
    model.press(.enter, .character("a"), .escape)
    #expect(model.overlay == nil)
    #expect(model.filters.count == 1)
  }
}

@Suite struct OtherKeyTests {
  @Test func `Ctrl-Z sleeps and Ctrl-L repaints`() {
    var model = Model.made()
    #expect(model.press(.control("z")) == [.suspend])
    #expect(model.press(.control("l")) == [.repaint])
  }

  @Test func `t steps through the themes and says which`() {
    var problems: [Theme.Problem] = []
    let made = Model.made()
    var model = Model(
      book: made.book, plans: made.plans, periods: made.periods, monitor: made.monitor,
      clock: made.clock, glyphs: .unicode, themes: Themes.load(problems: &problems),
      promptEdges: [], now: made.now)
    model.type("t")
    #expect(model.themeIndex == 1)
    #expect(model.message?.text == "theme: \(model.themes[1].name)")
    for _ in 1..<model.themes.count { model.type("t") }
    #expect(model.themeIndex == 0)
  }

  @Test func `a key that means nothing changes nothing`() {
    var model = Model.made()
    let before = view(model)
    #expect(model.press(.character("x"), .function(5), .insert) == [])
    #expect(view(model) == before)
  }
}

@Suite struct MouseTests {
  @Test func `a click chooses a row and its panel`() {
    var model = Model.made()
    let rect = ScreenLayout(model).requests
    click(&model, x: 5, y: rect.y + 3)
    #expect(model.focus == .requests)
    #expect(model.state(.requests).selected == 1)
    let table = ScreenLayout(model).breakdown
    click(&model, x: 5, y: table.y + 4)
    #expect(model.focus == .breakdown)
    #expect(model.state(.breakdown).selected == 2)
  }

  @Test func `the chosen row is the one that was clicked`() {
    var model = Model.made()
    for row in 0..<5 {
      let y = ScreenLayout(model).breakdown.y + 2 + row
      let clicked = view(model).rowText(y)
      click(&model, x: 3, y: y)
      #expect(view(model).rowText(y) == clicked)
      #expect(view(model)[3, y].style == Role.selected.style)
    }
  }

  @Test func `a click beside the rows chooses none`() {
    var model = Model.made()
    model.press(.down)
    let rect = ScreenLayout(model).breakdown
    for y in [0, rect.y, rect.y + 1, rect.endY - 1, model.size.rows - 1, 500, -1] {
      click(&model, x: 5, y: y)
    }
    #expect(model.state(.breakdown).selected == 1)
  }

  @Test func `the wheel moves the choice of the panel under it`() {
    var model = Model.made()
    let y = ScreenLayout(model).requests.y + 2
    _ = update(&model, .key(.mouse(MouseEvent(.wheelDown, x: 9, y: y))))
    #expect(model.focus == .requests)
    #expect(model.state(.requests).selected == 3)
    _ = update(&model, .key(.mouse(MouseEvent(.wheelUp, x: 9, y: y))))
    #expect(model.state(.requests).selected == 0)
  }

  @Test func `under an overlay the mouse touches nothing but its scroll`() {
    var model = Model.made()
    model.type("?")
    let y = ScreenLayout(model).requests.y + 2
    click(&model, x: 9, y: y)
    _ = update(&model, .key(.mouse(MouseEvent(.wheelDown, x: 9, y: y))))
    #expect(model.focus == .breakdown)
    #expect(model.overlayState.scroll == 3)
  }

  private func click(_ model: inout Model, x: Int, y: Int) {
    #expect(update(&model, .key(.mouse(MouseEvent(.press, x: x, y: y)))) == [])
  }
}

@Suite struct NewsTests {
  @Test func `new usage is on screen at once`() {
    var usage = MadeUpUsage()
    var model = Model.made(usage)
    #expect(model.text.contains("No usage yet"))
    usage.call("alpha-pro", fresh: 1_000_000)
    #expect(update(&model, .usage(usage.ledger.snapshot(), .oneLog)) == [])
    #expect(model.line(with: "today").contains("$1.00"))
  }

  @Test func `what is chosen stays chosen when other rows overtake it`() {
    var usage = MadeUpUsage.busy
    var model = Model.made(usage)
    model.press(.down, .down, .tab, .down, .down)
    let request = view(model).rowText(ScreenLayout(model).requests.y + 4)
    usage.call("gamma-9", minutesAgo: 0, fresh: 10)
    usage.call("alpha-mini", minutesAgo: 0, fresh: 90_000_000)
    _ = update(&model, .usage(usage.ledger.snapshot(), .oneLog))
    #expect(model.figures.rows[model.state(.breakdown).selected].key == "alpha-mini")
    #expect(model.state(.breakdown).selected == 0)
    #expect(model.state(.requests).selected == 4)
    model.press(.enter)
    #expect(model.text.contains(String(request.dropFirst().prefix(8))))
  }

  @Test func `the newest request stays the chosen one until another is chosen`() {
    var usage = MadeUpUsage.busy
    var model = Model.made(usage)
    model.press(.tab)
    usage.call("gamma-9", minutesAgo: 0, fresh: 10)
    _ = update(&model, .usage(usage.ledger.snapshot(), .oneLog))
    #expect(model.state(.requests).selected == 0)
  }

  @Test func `rows that are gone leave the last one chosen`() {
    var model = Model.made()
    model.press(.end)
    model.window = .hour
    model.filters = [UsageFilter(.provider, equals: "alpha")]
    model.derive()
    #expect(model.figures.rows.count == 2)
    model.press(.up)
    #expect(model.state(.breakdown).selected == 0)
  }

  @Test func `a notice is shown, kept, and kept once`() {
    var model = Model.made()
    for _ in 1...2 { _ = update(&model, .notice("prices are old")) }
    #expect(model.text.hasSuffix("prices are old"))
    #expect(model.notices == ["prices are old"])
    model.type("i")
    #expect(model.text.contains("prices are old"))
  }

  @Test func `a message goes when its time is over`() {
    var model = Model.made()
    model.type("=")
    let until = model.message!.until
    #expect(until == model.now.advanced(byMilliseconds: 4000))
    _ = update(&model, .tick(until.advanced(byMilliseconds: -1)))
    #expect(model.message != nil)
    _ = update(&model, .tick(until))
    #expect(model.message == nil)
  }
}

@Suite struct TickTests {
  @Test func `with traffic the next tick is the next second`() {
    var model = Model.made()
    model.now = model.now.advanced(byMilliseconds: 300)
    model.derive()
    #expect(model.nextTick == MadeUpUsage.now.advanced(byMilliseconds: 1000))
  }

  @Test func `without traffic the next tick is the next minute`() {
    var usage = MadeUpUsage()
    usage.call("alpha-pro", minutesAgo: 5, fresh: 10)
    let model = Model.made(usage)
    #expect(model.nextTick == MadeUpUsage.now.advanced(byMilliseconds: 60_000))
  }

  @Test func `a message is cleared in time`() {
    var model = Model.made(MadeUpUsage())
    model.type("=")
    #expect(model.nextTick == model.message?.until)
  }

  @Test func `the next tick always lies ahead`() {
    var model = Model.made()
    for milliseconds in [0, 1, 999, 1000, 59_999, 60_000, 3_600_000] as [Int64] {
      _ = update(&model, .tick(MadeUpUsage.now.advanced(byMilliseconds: milliseconds)))
      #expect(model.nextTick > model.now)
    }
  }

  @Test func `rates fade as time passes`() {
    var model = Model.made()
    let before = model.figures.pace!.requestsPerMinuteHundredths
    _ = update(&model, .tick(MadeUpUsage.now.advanced(byMilliseconds: 30_000)))
    #expect(model.figures.pace!.requestsPerMinuteHundredths < before)
  }

  @Test func `at midnight today begins anew`() {
    var model = Model.made()
    _ = update(&model, .tick(MadeUpUsage.now.advanced(byMilliseconds: 12 * 3_600_000)))
    #expect(model.figures.today.requests == 0)
    #expect(model.figures.month.requests > 0)
  }

  @Test func `what the history depends on makes new figures, nothing else does`() {
    var model = Model.made()
    // A mark that only new work over the history would wipe out.
    func isWorkedOutAnew(_ change: (inout Model) -> Void) -> Bool {
      var changed = model
      changed.figures.today.errors = -1
      change(&changed)
      return changed.figures.today.errors != -1
    }
    model.derive()
    #expect(!isWorkedOutAnew { $0.derive() })
    #expect(!isWorkedOutAnew { _ = update(&$0, .tick($0.now.advanced(byMilliseconds: 59_999))) })
    #expect(!isWorkedOutAnew { $0.type("srt?a") })
    #expect(!isWorkedOutAnew { $0.press(.down, .tab, .enter, .escape) })
    #expect(isWorkedOutAnew { _ = update(&$0, .tick($0.now.advanced(byMilliseconds: 60_000))) })
    for key in "pPl=wWgG" {
      #expect(isWorkedOutAnew { $0.type(String(key)) }, "\(key)")
    }
    #expect(isWorkedOutAnew { $0.press(.enter) })
    #expect(
      isWorkedOutAnew {
        var usage = MadeUpUsage.busy
        usage.call("alpha-pro", fresh: 1)
        _ = update(&$0, .usage(usage.ledger.snapshot(), .oneLog))
      })
  }
}

@Suite struct WhatIfTests {
  @Test func `the arrows move the assumed hit rate by points, and only on that screen`() {
    var model = Model.made()
    model.type(">>")
    #expect(model.assumedPoints == nil)
    model.type("b>>")
    let points = model.assumedPoints
    model.type("<<<")
    #expect(model.assumedPoints == points.map { $0 - 3 })
    model.press(.right)
    #expect(model.assumedPoints == points.map { $0 - 2 })
  }

  @Test func `the assumed rate stays between nothing and all, and is forgotten on closing`() {
    var model = Model.made()
    model.type("b" + String(repeating: "<", count: 130))
    #expect(model.assumedPoints == 0)
    model.type(String(repeating: ">", count: 130))
    #expect(model.assumedPoints == 100)
    model.type("bb")
    #expect(model.assumedPoints == nil)
  }

  @Test func `with mapping on, a plan prices the models it does not sell`() {
    var model = Model.made(plan: "beta-payg USD")
    model.modelMap = MadeUpUsage.modelMap
    let before = model.figures.report?.totals.unpricedRequests ?? 0
    model.type("m")
    let after = model.figures.report?.totals.unpricedRequests ?? 0
    #expect(after < before)
    #expect(!model.figures.substitutions.isEmpty)
    model.type("m")
    #expect(model.figures.report?.totals.unpricedRequests == before)
    #expect(model.figures.substitutions.isEmpty)
  }
}

@Suite struct PriceAgeTests {
  @Test func `prices that nobody has checked for two months are called old`() {
    var model = Model.made(.busy, 120, 40)
    #expect(!model.text.contains("days old"))
    let later = MadeUpUsage.now.advanced(byMilliseconds: 100 * 86_400_000)
    _ = update(&model, .tick(later))
    #expect(model.text.contains("prices 114 days old"))
  }
}

@Suite struct ReadingProgressTests {
  @Test func `speed and time left come from what was read lately`() {
    var progress = ReadingProgress.made
    #expect(progress.percent == 42)
    #expect(progress.bytesPerSecond == 180_104_766)
    #expect(progress.secondsLeft == 4)
    progress.milliseconds = 100
    #expect(progress.bytesPerSecond == nil, "too early to tell")
    #expect(progress.secondsLeft == nil)
    progress.milliseconds = 1000
    progress.recentBytes = 0
    #expect(progress.secondsLeft == nil)
    progress.bytesRead = progress.bytesTotal
    #expect(progress.percent == 99, "the end is told by its absence")
  }

  @Test func `keys work while logs are read, and the mark goes when all was read`() {
    var ingest = IngestSummary.oneLog
    ingest.reading = .made
    var model = Model.made(ingest: ingest)
    #expect(model.text.contains("reading") && model.text.contains("partial"))
    model.type("g")
    #expect(model.line(with: "By project") != "")
    _ = update(&model, .usage(model.snapshot, .oneLog))
    #expect(!model.text.contains("reading") && !model.text.contains("partial"))
  }

  @Test func `bytes are written with their unit`() {
    let texts = [0, 512, 9999, 12_345, 420_000_000, 1_003_456_789].map { NumberFormat.bytes($0) }
    #expect(texts == ["0 B", "512 B", "9999 B", "12.3 kB", "420 MB", "1.00 GB"])
  }
}

@Suite struct FollowingNoticeTests {
  @Test func `how logs are followed is told once, and kept where they are listed`() {
    let notice = "no inotify watch left; looking at the files on a timer instead"
    var ingest = IngestSummary.oneLog
    ingest.notices = [notice]
    var model = Model.made()
    _ = update(&model, .usage(model.snapshot, ingest))
    #expect(model.message?.text == notice)
    #expect(!model.text.contains("unreadable"), "nothing is wrong with what was read")
    model.message = nil
    _ = update(&model, .usage(model.snapshot, ingest))
    #expect(model.message == nil)
    model.type("i")
    #expect(model.text.contains("no inotify watch left"))
  }

  @Test func `a clock that was set back is shown at once, and no message waits for it`() {
    var model = Model.made()
    model.say("hello")
    let before = model.now.advanced(byMilliseconds: -3_600_000)
    #expect(!model.isTickDue(at: model.now))
    #expect(model.isTickDue(at: before))
    _ = update(&model, .tick(before))
    #expect(model.message == nil)
    #expect(model.text.contains("11:00 UTC"))
    #expect(!model.isTickDue(at: before))
    #expect(model.isTickDue(at: before.advanced(byMilliseconds: 60_000)))
  }
}

@Suite struct FramePaceTests {
  @Test func `a lone frame is drawn at once, many at thirty a second`() {
    var pace = FramePace()
    var times: [Int64] = []
    var time: Int64 = 10_000
    while time < 12_000 {
      if pace.pause(at: time) <= 0 {
        times.append(time)
        pace.drew(at: time, work: 700, calls: 1)
      }
      time += 1
    }
    #expect(times.prefix(8).last == 10_007)
    #expect((60...70).contains(times.count))
    #expect(pace.pause(at: 12_500) <= 0)
  }

  @Test func `frames that are expensive, or show very much, are fewer`() {
    var pace = FramePace()
    pace.drew(at: 1000, work: 700, calls: 51)
    #expect(pace.pause(at: 1000) == 150)
    pace = FramePace()
    pace.drew(at: 1000, work: 20_000, calls: 1)
    #expect(pace.pause(at: 1000) == 400)
    pace = FramePace()
    pace.drew(at: 1000, work: 900_000, calls: 1)
    #expect(pace.pause(at: 1000) == 1000)
  }
}
