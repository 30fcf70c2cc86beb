import { expect, test } from 'vitest'
import { FileTitleSchema } from '../../generated/schemas.ts'
import { fileName } from '../../src/images/file-name.ts'

const isTitle = (name: string) => FileTitleSchema.safeParse(name).success

test.each([
  '',
  '.',
  '..',
  'a\u0000b',
  'a\u001fb',
  'a\u007fb',
  'a\u0080b',
  'a\u0085b',
  'a\u009fb',
  'a\nb',
  'x'.repeat(256),
])('%j is no name, neither in a form nor in JSON', (name) => {
  expect(() => fileName(name)).toThrow(expect.objectContaining({ code: 'invalid_request' }))
  expect(isTitle(name)).toBe(false)
})

test.each(['...', '.reef', '..reef', 'reef..', '. .', 'a\u00a0b', '🪸'.repeat(255)])(
  '%j is a name, in a form as in JSON',
  (name) => {
    expect(fileName(name)).toBe(name)
    expect(isTitle(name)).toBe(true)
  },
)

test.each([
  ['reef/a.png', 'a.png'],
  ['C:\\reef\\a.png', 'a.png'],
])('the name in %j is %j', (sent, name) => {
  expect(fileName(sent)).toBe(name)
})

test.each(['reef/', 'reef/.', 'reef\\..'])('there is no name in %j', (sent) => {
  expect(() => fileName(sent)).toThrow(expect.objectContaining({ code: 'invalid_request' }))
})
