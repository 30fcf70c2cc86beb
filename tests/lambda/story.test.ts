import { expect, test } from 'vitest'
import { buildForTests } from './support/lambda.ts'
import { tellStory } from './support/story.ts'
import { lambdaWorld, nodeWorld, startBuckets } from './support/worlds.ts'

const { bundle } = await buildForTests()
const endpoint = await startBuckets('reef-node', 'reef-lambda')
const [node, lambda] = [
  await nodeWorld({ endpoint, bucket: 'reef-node' }),
  // One connection: nothing may need a second one while it holds the first.
  await lambdaWorld({ bundle, endpoint, bucket: 'reef-lambda' }, { DATABASE_POOL_SIZE: '1' }),
]

test('a day of the service behind API Gateway is the same as on Node', async () => {
  const expected = await tellStory(node)
  const told = await tellStory(lambda)

  expect(told).toEqual(expected)
  const statuses = Object.fromEntries(Object.entries(told).map(([what, { status }]) => [what, status]))
  expect(statuses).toMatchObject({
    register: 200,
    'redraw what has changed': 412,
    erase: 204,
    'complete it': 202,
    claim: 200,
    report: 200,
    'report otherwise': 409,
    events: 200,
    'no more events': 204,
    download: 200,
    'after that': 401,
  })
})
