import { describe, expect, test } from 'vitest'
import { eventStreamParser } from '../../sdk/event-stream.ts'

/** What comes of a stream that arrives in these pieces. */
const dataOf = (...pieces: string[]) => {
  const parse = eventStreamParser()
  return pieces.flatMap((piece) => parse(piece))
}

describe('an event stream', () => {
  test.each(['\n', '\r\n', '\r'])('is the same with each of its line breaks: %j', (lineBreak) => {
    const lines = [': hello', 'id: 1', 'event: log', 'data: a', '', 'data: b', 'data:c', '', ': bye']
    expect(dataOf(lines.join(lineBreak) + lineBreak)).toEqual(['a', 'b\nc'])
  })

  test.each(['data: a\n\ndata: b\n\n', 'data: a\r\n\r\ndata: b\r\n\r\n'])(
    'is the same however it is cut up: %j',
    (stream) => {
      for (let at = 0; at <= stream.length; at++)
        expect(dataOf(stream.slice(0, at), stream.slice(at))).toEqual(['a', 'b'])
      expect(dataOf(...stream)).toEqual(['a', 'b'])
    },
  )

  test('gives an event at its end, and none that has no data or is not whole', () => {
    const parse = eventStreamParser()
    expect(parse('id: 1\n\ndata: a\n')).toEqual([])
    expect(parse('\ndata: b')).toEqual(['a'])
  })

  test('keeps what belongs to the data, and no field that only looks like it', () => {
    expect(dataOf('data:  a: b \ndata\ndatas: c\n\n')).toEqual([' a: b \n'])
  })
})
