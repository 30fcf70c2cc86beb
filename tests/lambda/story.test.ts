import { expect, test } from 'vitest'
import { picture } from '../contract/form.ts'
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
    'as features': 200,
    'as a feature': 200,
    import: 201,
    note: 201,
    'correct it': 200,
    'correct what has changed': 412,
    'notes of the polygon': 200,
    image: 201,
    'no image': 415,
    'half an image': 422,
    'an image of nothing': 422,
    'its bytes': 200,
    'some of them': 206,
    'some, if it is still that': 206,
    'some beyond its end': 416,
    'if it were another': 304,
    'what it would be': 200,
    'what some would be, of which HEAD knows nothing': 200,
    'what nobody may see': 401,
    'call it otherwise': 200,
    'too early': 409,
    now: 200,
    'remove the image': 204,
    'its bytes again': 404,
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
  const [whole, some] = [Buffer.from(picture), Buffer.from(picture).subarray(2, 10)]
  expect(told).toMatchObject({
    'its bytes': { headers: { 'content-length': String(whole.length) }, body: whole.toString('base64') },
    'some of them': { headers: { 'content-length': '8' }, body: some.toString('base64') },
    'what it would be': { headers: { 'content-length': String(whole.length) }, body: '' },
    'as a feature': { headers: { 'content-type': 'application/geo+json' }, body: { type: 'Feature' } },
  })
})
