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
    model.snapshot = snapshot
    model.ingest = ingest
    model.derive()
  case .tick(let now):
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

  /// Shows a message in the footer for some seconds.
  mutating func say(_ text: String) {
    message = (text, now.advanced(byMilliseconds: 4000))
  }

  fileprivate mutating func press(_ key: Key) -> [Effect] {
    if case .mouse(let event) = key { return press(event) }
    guard let action = Keymap.action(for: key) else { return [] }
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
    case .nextPlan: choosePlan((planIndex + 1) % plans.count)
    case .previousPlan: choosePlan((planIndex + plans.count - 1) % plans.count)
    case .asBilled:
      choosePlan(
        plans.firstIndex { $0.plan.kind == .asBilled && $0.currency == plan.currency } ?? 0)
    case .pinReference: pinReference()
    case .toggleCurrency: toggleCurrency()
    case .nextWindow: window = window.stepped(by: 1)
    case .previousWindow: window = window.stepped(by: -1)
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
    return []
  }

  private mutating func press(_ event: MouseEvent) -> [Effect] {
    switch event.action {
    case .wheelUp: move(by: -3)
    case .wheelDown: move(by: 3)
    case .press:
      if overlay == nil, let hit = ScreenLayout(self).panel(atX: event.x, y: event.y),
        hit == .breakdown || hit == .requests
      {
        focus = hit
        if let row = ScreenLayout(self).row(of: hit, atY: event.y, in: self) {
          var state = state(hit)
          state.selected = row
          panels[hit] = state
        }
      }
    default: break
    }
    return []
  }

  /// The groupings the table steps through.
  static let groupings: [Grouping] = [.model, .project, .session, .provider, .source, .key, .day]

  private mutating func stepGrouping(by steps: Int) {
    let all = Self.groupings
    let index = all.firstIndex(of: grouping) ?? 0
    grouping = all[(index + steps + all.count) % all.count]
    panels[.breakdown] = PanelState()
  }

  private mutating func toggle(_ panel: Overlay) {
    overlay = overlay == panel ? nil : panel
    overlayState = PanelState()
  }

  private mutating func openPlans() {
    toggle(.plans)
    if overlay == .plans { overlayState.selected = planIndex }
  }

  private mutating func choosePlan(_ index: Int) {
    planIndex = index
    if overlay == .plans { overlayState.selected = index }
  }

  private mutating func pinReference() {
    if overlay == .plans {
      referenceIndex = overlayState.selected
    } else {
      referenceIndex = referenceIndex == planIndex ? nil : planIndex
    }
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
      state.selected = max(0, min(state.selected + rows, count - 1))
      return state
    }
    switch overlay {
    case .plans: overlayState = moved(overlayState, plans.count)
    case .help, .alerts, .files, .trace:
      // These have no chosen row: the arrows scroll. Drawing keeps the end in view.
      overlayState.scroll = max(
        0, min(overlayState.scroll + rows, Overlays.rowCount(overlay!, self) - 1))
    case nil:
      let count = focus == .breakdown ? figures.rows.count : snapshot.recent.count
      panels[focus] = moved(state(focus), count)
    }
  }

  private var pageRows: Int { max(1, size.rows / 2) }

  private mutating func choose() {
    if overlay == .plans {
      choosePlan(overlayState.selected)
      overlay = nil
    } else if overlay == nil, focus == .requests {
      if !snapshot.recent.isEmpty { toggle(.trace) }
    } else if overlay == nil, figures.rows.indices.contains(state(.breakdown).selected) {
      let row = figures.rows[state(.breakdown).selected]
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
