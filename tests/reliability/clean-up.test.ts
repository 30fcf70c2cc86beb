import { expect, test } from 'vitest'
import { cleanUp } from '../../src/main/clean-up.ts'
import { memoryLog } from '../support/service.ts'

test('a step that fails keeps no other from being taken, and is told in the end', async () => {
  const log = memoryLog({ expectsErrors: true })
  const taken: string[] = []
  const fail = (word: string) => () => {
    taken.push(word)
    throw new Error(word)
  }

  const cleaning = cleanUp([fail('first'), async () => taken.push('second'), async () => fail('third')()], log)

  await expect(cleaning).rejects.toThrow('first')
  expect(taken).toEqual(['first', 'second', 'third'])
  expect(log.lines).toMatchObject([{ fields: { error: Error('first') } }, { fields: { error: Error('third') } }])
})
