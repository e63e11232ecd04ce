import MimoEngine
import MimoScreen

/// Changes the state by what happened, and returns what the program is asked to do.
///
/// A change of plan works on the counts already held: no log is read.
public func update(_ model: inout Model, _ message: Message) -> [Effect] {
  switch message {
  case .key(let key):
    return model.press(key)
  case .usage(let snapshot, let ingest):
    let (row, request) = (model.selectedRow, model.selectedRequest)
    if let notice = ingest.notices.first(where: { !model.ingest.notices.contains($0) }) {
      model.say(notice)
    }
    model.snapshot = snapshot
    model.ingest = ingest
    model.derive()
    model.follow(row: row, request: request)
  case .tick(let now):
    // The clock was set back: nothing waits for an hour that has passed.
    if now < model.now { model.message = nil }
    model.now = now
    if let message = model.message, message.until <= now { model.message = nil }
    model.derive()
  case .resized(let size):
    model.size = size
  case .notice(let text):
    if !model.notices.contains(text) { model.notices.append(text) }
    model.say(text)
  }
  return []
}

extension Model {
  /// When the next `tick` is needed: the first instant at which something on screen changes by itself.
  public var nextTick: Instant {
    var next = now.minute.advanced(by: 1).start
    // Rates fade by the second while there is traffic to fade.
    let isBusy = figures.pace.map { !$0.measures.isEmpty } ?? false
    if isBusy { next = min(next, Instant(milliseconds: (now.milliseconds / 1000 + 1) * 1000)) }
    if let message { next = min(next, message.until) }
    return next
  }

  /// Whether a `tick` is due, also because the clock was set back.
  public func isTickDue(at time: Instant) -> Bool { time >= nextTick || time < now }

  /// Shows a message in the footer for some seconds.
  mutating func say(_ text: String) {
    message = (text, now.advanced(byMilliseconds: 4000))
  }

  fileprivate mutating func press(_ key: Key) -> [Effect] {
    if case .mouse(let event) = key { return press(event) }
    guard let action = Keymap.action(for: key) else { return [] }
    let former = planIndex
    switch action {
    case .quit:
      // q closes what lies on top before it leaves, Ctrl-C always leaves.
      if overlay != nil, key == .character("q") {
        overlay = nil
        return []
      }
      return [.quit]
    case .suspend: return [.suspend]
    case .repaint: return [.repaint]
    case .showHelp: toggle(.help)
    case .showPlans: openPlans()
    case .showAlerts: toggle(.alerts)
    case .showFiles: toggle(.files)
    case .showWhatIf:
      toggle(.whatIf)
      assumedPoints = nil
    case .showChange: toggle(.change)
    case .showHours: toggle(.hours)
    case .less: adjust(by: -1)
    case .more: adjust(by: 1)
    case .toggleMapping:
      isMapping.toggle()
      say(
        isMapping
          ? "models a plan does not sell are priced as those that stand for them: an estimate"
          : "models a plan does not sell have no price")
    case .nextPlan: stepPlan(by: 1)
    case .previousPlan: stepPlan(by: -1)
    case .asBilled:
      choosePlan(
        plans.firstIndex { $0.plan.kind == .asBilled && $0.currency == plan.currency } ?? 0)
    case .pinReference: pinReference()
    case .toggleCurrency: toggleCurrency()
    case .nextWindow: stepWindow(by: 1)
    case .previousWindow: stepWindow(by: -1)
    case .earlier(let step): moveTime(by: step, earlier: true)
    case .later(let step): moveTime(by: step, earlier: false)
    case .backToNow: backToNow()
    case .nextGrouping: stepGrouping(by: 1)
    case .previousGrouping: stepGrouping(by: -1)
    case .nextSorting: sorting = sorting.stepped(by: 1)
    case .reverseSorting: isSortingReversed.toggle()
    case .nextTheme:
      themeIndex = (themeIndex + 1) % themes.count
      say("theme: \(themes[themeIndex].name)")
    case .focusNext, .focusPrevious: focus = focus == .breakdown ? .requests : .breakdown
    case .moveUp: move(by: -1)
    case .moveDown: move(by: 1)
    case .pageUp: move(by: -pageRows)
    case .pageDown: move(by: pageRows)
    case .moveToStart: move(by: -.max / 2)
    case .moveToEnd: move(by: .max / 2)
    case .choose: choose()
    case .back: back()
    }
    derive()
    return planIndex == former
      ? [] : [.saveChoice(plan: plan.plan.id, currency: plan.currency)]
  }

  private mutating func press(_ event: MouseEvent) -> [Effect] {
    switch event.action {
    case .wheelUp, .wheelDown:
      focusPanel(under: event)
      move(by: event.action == .wheelUp ? -3 : 3)
    case .press:
      if let hit = focusPanel(under: event),
        let row = ScreenLayout(self).row(of: hit, atY: event.y, in: self)
      {
        panels[hit, default: PanelState()].selected = row
      }
    default: break
    }
    return []
  }

  /// The panel under the mouse hears the arrow keys from now on; `nil` if an overlay is open.
  @discardableResult
  private mutating func focusPanel(under event: MouseEvent) -> PanelID? {
    guard overlay == nil, let hit = ScreenLayout(self).panel(atX: event.x, y: event.y) else {
      return nil
    }
    focus = hit
    return hit
  }

  /// The groupings the table steps through.
  static let groupings: [Grouping] = [.model, .project, .session, .provider, .source, .key, .day]

  private mutating func stepGrouping(by steps: Int) {
    let all = Self.groupings
    let index = all.firstIndex(of: grouping) ?? 0
    grouping = all[(index + steps + all.count) % all.count]
    panels[.breakdown] = PanelState()
  }

  private mutating func stepWindow(by steps: Int) {
    window = window.stepped(by: steps)
    if window == .all { backToNow() }
  }

  private mutating func toggle(_ panel: Overlay) {
    overlay = overlay == panel ? nil : panel
    overlayState = PanelState()
  }

  /// Moves what the open overlay supposes by so many steps.
  private mutating func adjust(by steps: Int) {
    switch overlay {
    case .whatIf: moveRate(by: steps)
    case .hours: movablePercent = max(0, min(100, movablePercent + 5 * steps))
    case .change:
      let changes = figures.changes
      guard let chosen = figures.changeEffect?.change, let index = changes.firstIndex(of: chosen)
      else { return }
      changeDate = changes[max(0, min(index + steps, changes.count - 1))].date
      overlayState = PanelState()
    default: break
    }
  }

  private mutating func moveRate(by points: Int) {
    guard let rate = WhatIfOverlay.assumed(self) else { return }
    let now = assumedPoints ?? Int(rate.scaled(decimals: 2))
    assumedPoints = max(0, min(100, now + points))
  }

  private mutating func openPlans() {
    toggle(.plans)
    if overlay == .plans { overlayState.selected = planIndex }
  }

  private mutating func stepPlan(by steps: Int) {
    let useful = usefulPlans
    let place = useful.firstIndex(of: planIndex)!
    choosePlan(useful[(place + steps + useful.count) % useful.count])
  }

  private mutating func choosePlan(_ index: Int) {
    planIndex = index
    if overlay == .plans { overlayState.selected = index }
  }

  private mutating func pinReference() {
    let index = overlay == .plans ? overlayState.selected : planIndex
    referenceIndex = referenceIndex == index ? nil : index
    say(referenceIndex.map { "reference: \(plans[$0].name)" } ?? "no reference plan")
  }

  private mutating func toggleCurrency() {
    let other = plans.firstIndex { $0.plan.id == plan.plan.id && $0.currency != plan.currency }
    if let other {
      choosePlan(other)
    } else {
      say("\(plan.plan.name) has no prices in another currency")
    }
  }

  private mutating func move(by rows: Int) {
    func moved(_ state: PanelState, _ count: Int) -> PanelState {
      var state = state
      // Rows may have gone since it was chosen: start from the one that is shown as chosen.
      state.selected = max(0, min(min(state.selected, count - 1) + rows, count - 1))
      return state
    }
    switch overlay {
    case .plans:
      // What is chosen is a plan, wherever new numbers put it in the list.
      let order = figures.listedPlans
      guard let place = order.firstIndex(of: overlayState.selected) else { break }
      overlayState.selected = order[max(0, min(place + rows, order.count - 1))]
    case .whatIf: break
    case .help, .alerts, .files, .trace, .change, .hours:
      // These have no chosen row: the arrows scroll. Drawing keeps the end in view.
      overlayState.scroll = max(
        0, min(overlayState.scroll + rows, Overlays.rowCount(overlay!, self) - 1))
    case nil:
      let count = focus == .breakdown ? figures.rows.count : snapshot.recent.count
      panels[focus] = moved(state(focus), count)
    }
  }

  /// The chosen row of the table.
  fileprivate var selectedRow: BreakdownRow? {
    let rows = figures.rows
    return rows.isEmpty ? nil : rows[min(state(.breakdown).selected, rows.count - 1)]
  }

  /// The chosen one of the latest calls.
  fileprivate var selectedRequest: RecentCall? {
    let calls = snapshot.recent
    return calls.isEmpty
      ? nil : calls[calls.count - 1 - min(state(.requests).selected, calls.count - 1)]
  }

  /// Keeps what was chosen under the cursor when new usage moves it; the first row stays the first.
  fileprivate mutating func follow(row: BreakdownRow?, request: RecentCall?) {
    if state(.breakdown).selected > 0, let row,
      let index = figures.rows.firstIndex(where: { $0.key == row.key })
    {
      panels[.breakdown]?.selected = index
    }
    if state(.requests).selected > 0, let request,
      let index = snapshot.recent.lastIndex(where: {
        ($0.time, $0.series, $0.tokens) == (request.time, request.series, request.tokens)
      })
    {
      panels[.requests]?.selected = snapshot.recent.count - 1 - index
    }
  }

  private var pageRows: Int { max(1, size.rows / 2) }

  private mutating func choose() {
    if overlay == .plans {
      choosePlan(overlayState.selected)
      overlay = nil
    } else if overlay == nil, focus == .requests {
      if let call = selectedRequest {
        traced = call
        toggle(.trace)
      }
    } else if overlay == nil, let row = selectedRow {
      filters.removeAll { $0.grouping == grouping }
      filters.append(UsageFilter(grouping, equals: row.key ?? ""))
      stepGrouping(by: 1)
    }
  }

  private mutating func back() {
    if overlay != nil {
      overlay = nil
    } else if let filter = filters.popLast() {
      grouping = filter.grouping
      panels[.breakdown] = PanelState()
    }
  }
}

extension CaseIterable where Self: Equatable {
  /// The case so many places further, going around at the end.
  fileprivate func stepped(by steps: Int) -> Self {
    let all = Array(Self.allCases)
    let index = all.firstIndex(of: self)!
    return all[(index + steps + all.count) % all.count]
  }
}
