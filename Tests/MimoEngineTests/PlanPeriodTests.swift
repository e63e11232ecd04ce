import MimoEngine
import Testing

@Suite struct PlanPeriodTests {
  private func period(_ day: Int, _ date: String) -> String {
    let period = BillingPeriods(renewalDay: day).period(
      containing: CivilDate(date)!.startInUTC.advanced(byMilliseconds: 1))
    func text(_ instant: Instant) -> String { CivilDate(dayNumber: instant.minute.day).text }
    return "\(text(period.start)) \(text(period.end))"
  }

  @Test(arguments: [
    (1, "2026-11-21", "2026-11-01 2026-12-01"), (21, "2026-11-21", "2026-11-21 2026-12-21"),
    (22, "2026-11-21", "2026-10-22 2026-11-22"), (15, "2026-01-03", "2025-12-15 2026-01-15"),
    (31, "2026-02-27", "2026-01-31 2026-02-28"), (31, "2026-02-28", "2026-02-28 2026-03-31"),
    (31, "2026-03-30", "2026-02-28 2026-03-31"), (31, "2026-04-30", "2026-04-30 2026-05-31"),
    (29, "2028-02-29", "2028-02-29 2028-03-29"), (30, "2028-02-28", "2028-01-30 2028-02-29"),
    (30, "2026-12-31", "2026-12-30 2027-01-30"), (0, "2026-06-15", "2026-06-01 2026-07-01"),
    (99, "2026-06-15", "2026-05-31 2026-06-30"),
  ]) func `a period begins on the renewal day or the month's last`(
    _ day: Int, _ date: String, _ expected: String
  ) { #expect(period(day, date) == expected) }

  @Test func `a period ends in the millisecond before the next begins`() {
    let periods = BillingPeriods(renewalDay: 10)
    let start = CivilDate("2026-11-10")!.startInUTC
    #expect(periods.period(containing: start).start == start)
    #expect(periods.period(containing: start.advanced(byMilliseconds: -1)).end == start)
  }

  @Test func `periods follow each other, twelve a year`() {
    for day in 1...31 {
      let periods = BillingPeriods(renewalDay: day)
      var period = periods.period(containing: CivilDate("2023-06-15")!.startInUTC)
      let first = period.start
      for _ in 0..<48 {
        let next = periods.period(containing: period.end)
        #expect(next.start == period.end)
        #expect(next.end > next.start)
        period = next
      }
      let date = CivilDate(dayNumber: period.start.minute.day)
      #expect(date == CivilDate(dayNumber: first.minute.day).addingMonths(48))
    }
  }
}

@Suite struct PlanCalendarTests {
  @Test func `every day has a number, and every number its day`() {
    var date = CivilDate(year: 1899, month: 12, day: 31)!
    for number in date.dayNumber...CivilDate("2101-01-01")!.dayNumber {
      let next = CivilDate(dayNumber: number)
      #expect(next.dayNumber == number)
      #expect(CivilDate(next.text) == next)
      if next != date { #expect(next > date && next.weekday == (date.weekday + 1) % 7) }
      date = next
    }
    #expect(CivilDate("1970-01-01")?.dayNumber == 0)
    #expect(CivilDate("2026-11-21")?.dayNumber == 20778)
    #expect(CivilDate("2026-11-21")?.weekday == 5)
    #expect(CivilDate("1969-12-31")?.dayNumber == -1)
  }

  @Test(arguments: [
    "", "2026-13-01", "2026-00-01", "2026-02-29", "2100-02-29", "2026-04-31", "2026-1-01",
    "0000-01-01", "2026/01/01", "+026-01-01", "2026-01-01T", "２026-01-01",
  ]) func `a day that does not exist is none`(_ text: String) { #expect(CivilDate(text) == nil) }

  @Test func `months are added to the end of a month`() {
    let date = CivilDate("2028-01-31")!
    #expect(
      [1, 2, 12, 13, -1, -2, -25].map { date.addingMonths($0).text } == [
        "2028-02-29", "2028-03-31", "2029-01-31", "2029-02-28", "2027-12-31", "2027-11-30",
        "2025-12-31",
      ])
  }
}
