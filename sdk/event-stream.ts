/**
 * Takes an event stream apart (WHATWG HTML 9.2.6) and gives the data of each event as it becomes whole. Fields other than `data` are
 * left out: our events carry them in their data too.
 */
export function eventStreamParser(): (text: string) => string[] {
  let rest = ''
  let data: string[] = []
  return (text) => {
    // A carriage return at the end may be the first half of a line break.
    const lines = (rest + text).split(/\r\n|\n|\r(?!$)/)
    rest = lines.pop() ?? ''
    const events: string[] = []
    for (const line of lines) {
      const field = /^data(?:: ?(.*))?$/s.exec(line)
      if (field) data.push(field[1] ?? '')
      if (line !== '' || data.length === 0) continue
      events.push(data.join('\n'))
      data = []
    }
    return events
  }
}
