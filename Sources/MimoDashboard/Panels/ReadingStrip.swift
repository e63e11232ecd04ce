import MimoScreen

/// One line while what is there already is being read: how far, how fast, how long still.
enum ReadingStrip: Panel {
  static func draw(_ model: Model, on buffer: inout CellBuffer, in rect: Rect) {
    guard !rect.isEmpty, let progress = model.ingest.reading else { return }
    let (name, rest) = rect.splitLeft(8)
    buffer.write(
      "reading ", x: name.x, y: name.y, style: Role.label.style, maxColumns: name.columns)
    let (bar, text) = rest.splitLeft(max(10, rect.columns / 5))
    Gauge(
      fraction: progress.fraction, label: "\(progress.percent)%", labelPlace: .after(columns: 3),
      fill: [Role.value.style], track: Role.track.style, labelStyle: Role.value.style,
      glyphs: model.glyphs
    ).draw(on: &buffer, in: bar)
    // The most wanted first; what does not fit is left out, never cut.
    var spans: [Span] = []
    for (item, role) in items(progress) {
      let span = Span("  " + item, role.style)
      if spans.columns + TextWidth.width(of: span.text) > text.columns { break }
      spans.append(span)
    }
    buffer.write(spans, x: text.x, y: text.y, maxColumns: text.columns)
  }

  private static func items(_ progress: ReadingProgress) -> [(String, Role)] {
    var items: [(String, Role)] = []
    if let seconds = progress.secondsLeft {
      items.append((NumberFormat.span(seconds: seconds) + " left", .value))
    }
    let total = NumberFormat.bytes(progress.bytesTotal)
    items.append(("\(NumberFormat.bytes(progress.bytesRead)) of \(total)", .label))
    items.append(
      (
        "\(NumberFormat.count(Int64(progress.filesRead))) of "
          + NumberFormat.counted(Int64(progress.filesTotal), "log"), .label
      ))
    if let speed = progress.bytesPerSecond {
      items.append((NumberFormat.bytes(speed) + "/s", .label))
    }
    items.append(("newest first", .muted))
    return items
  }
}
