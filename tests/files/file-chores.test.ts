import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { assertKey, type ObjectStore } from '../../src/store/object-store.ts'
import { somePng, upload } from '../images/support.ts'
import { startTestService } from '../support/service.ts'
import { startAgingStore } from './support.ts'

const disk = await startAgingStore()
afterAll(() => disk.stop())
/** What the chores list and delete, watched. */
const store: ObjectStore = { ...disk.store }
const service = await startTestService({ store, objects: undefined })
const { sql, chores, log } = service
const [ana, admin] = [await service.person(), await service.person('ADMIN')]
await admin.client.regions.put('reef', { title: 'Reef' })

const sweep = chores['sweep orphans']
const forget = chores['forget unfinished uploads']
const purge = async () => {
  await sql`update discarded_objects set discarded_at = now() - interval '2 hours'`
  await chores['purge discarded files']()
}
const isThere = async (key: string) => (await disk.store.head(key)) !== undefined
const warnings = () => log.lines.filter(({ level }) => level === 'warn').map(({ fields }) => fields)
const newKey = () => `images/${crypto.randomUUID()}`

/** The row of an upload, as old as that. */
async function uploading(objectKey: string, hours: number): Promise<string> {
  const id = crypto.randomUUID()
  await sql`
    insert into images (id, user_id, object_key, name, created_at)
    values (${id}, ${ana.id}, ${objectKey}, 'a.png', now() - ${`${hours} hours`}::interval)
  `
  return id
}

beforeEach(async () => {
  Object.assign(store, disk.store)
  await sql`delete from orphan_sweeps`
  await sql`delete from discarded_objects`
  await sql`delete from images`
  await disk.store.delete(await Array.fromAsync(disk.store.list(''), ({ key }) => key))
})

describe('sweep orphans', () => {
  test('lets go of an old object that no row names', async () => {
    const [inImages, inRegions] = [newKey(), 'regions/reef/depth/a.tif']
    for (const key of [inImages, inRegions]) {
      await disk.put(key)
      await disk.age(key, 25)
    }

    expect(await sweep()).toBe(false)
    await purge()

    expect(await isThere(inImages)).toBe(false)
    expect(await isThere(inRegions)).toBe(false)
  })

  test('keeps a young one', async () => {
    const key = newKey()
    await disk.put(key)
    await disk.age(key, 23)

    await sweep()
    await purge()

    expect(await isThere(key)).toBe(true)
  })

  test('keeps what an image, an upload, a layer or nobody of ours has', async () => {
    const image = `images/${(await upload(service, ana)).id}`
    const unfinished = newKey()
    await uploading(unfinished, 2)
    const { objectKey: layer } = await layerUpload()
    const elsewhere = 'results/1/a.json'
    for (const key of [unfinished, layer, elsewhere]) await disk.put(key)
    for (const key of [image, unfinished, layer, elsewhere]) await disk.age(key, 1000)

    await sweep()
    await purge()

    for (const key of [image, unfinished, layer, elsewhere]) expect(await isThere(key), key).toBe(true)
  })

  test('leaves an orphan to a job that reads it', async () => {
    const key = 'regions/reef/depth/b.tif'
    await disk.put(key)
    await disk.age(key, 25)
    const { jobId } = await ana.client.jobs.create({ type: 'TEST', inputPayload: { id: 1 } })
    await sql`update job_payloads set files = ${sql.json([{ objectKey: key }])} where job_id = ${jobId}`

    await sweep()
    await purge()
    expect(await isThere(key)).toBe(true)

    await ana.client.jobs.cancel(jobId)
    await purge()
    expect(await isThere(key)).toBe(false)
  })

  test('keeps what begins while it looks', async () => {
    const key = newKey()
    store.list = async function* (...call) {
      yield* disk.store.list(...call)
      if (call[0] !== 'images/') return
      // By the store's clock, which may be anything.
      await uploading(key, 0)
      await disk.put(key)
      yield { key, sizeBytes: 1, lastModifiedAt: new Date(0) }
    }

    await sweep()
    await purge()

    expect(await isThere(key)).toBe(true)
  })

  test('takes a thousand at a time, goes on behind them, and begins anew after a day', async () => {
    const keys = Array.from({ length: 1001 }, (_, i) => `images/${String(i).padStart(4, '0')}`)
    const listed: (string | undefined)[] = []
    store.list = async function* (prefix, { after = '' } = {}) {
      if (prefix !== 'images/') return
      listed.push(after)
      for (const key of keys) if (key > after) yield { key, sizeBytes: 1, lastModifiedAt: new Date(0) }
    }
    const discarded = async () => (await sql`select from discarded_objects`).length

    expect(await sweep()).toBe(true)
    expect(await discarded()).toBe(1000)
    expect(await sweep()).toBe(false)
    expect(await discarded()).toBe(1001)
    await sweep()
    expect(listed).toEqual(['', keys[999]])

    await sql`update orphan_sweeps set swept_at = now() - interval '25 hours'`
    await sweep()
    expect(listed).toEqual(['', keys[999], ''])
  })

  test('is passed over where another process is at it', async () => {
    await sweep()
    await sql`update orphan_sweeps set swept_at = 'epoch'`
    const key = newKey()
    await disk.put(key)
    await disk.age(key, 25)

    await sql.begin(async (tx) => {
      await tx`select from orphan_sweeps for update`
      expect(await sweep()).toBe(false)
    })
    expect(await sql`select from discarded_objects`).toHaveLength(0)

    await sweep()
    expect(await sql`select from discarded_objects`).toHaveLength(1)
  })

  test('passes over what is no key of ours, and says so once in a round', async () => {
    const file = 'bad name'
    await mkdir(join(disk.root, 'images~'), { recursive: true })
    await writeFile(join(disk.root, 'images~', file), 'x')
    await disk.age(`images/${file}`, 25)
    const key = newKey()
    await disk.put(key)
    await disk.age(key, 25)
    log.lines.length = 0

    expect(await sweep()).toBe(false)

    expect(await sql`select object_key from discarded_objects`).toEqual([{ objectKey: key }])
    expect(warnings()).toEqual([{ prefix: 'images/', example: `images/${file}` }])
    await rm(join(disk.root, 'images~', file))
  })

  test('goes on behind keys alone, however many other names there are, and tells of them in the next round again', async () => {
    const names = [
      'images/',
      ...Array.from({ length: 1500 }, (_, i) => `images/0 ${i}`),
      ...Array.from({ length: 1000 }, (_, i) => `images/1${String(i).padStart(4, '0')}`),
      'images/2 b',
      'images/3',
    ]
    const listed: string[] = []
    store.list = async function* (prefix, { after = '' } = {}) {
      if (after) assertKey(after)
      if (prefix !== 'images/') return
      listed.push(after)
      for (const key of names) if (key > after) yield { key, sizeBytes: 1, lastModifiedAt: new Date(0) }
    }
    log.lines.length = 0

    expect(await sweep()).toBe(true)
    expect(await sweep()).toBe(false)

    expect(listed).toEqual(['', 'images/10999'])
    expect(await sql`select from discarded_objects`).toHaveLength(1001)
    expect(warnings()).toEqual([{ prefix: 'images/', example: 'images/' }])
    await sql`update orphan_sweeps set swept_at = now() - interval '25 hours'`
    await sweep()
    expect(warnings()).toHaveLength(2)
  })

  test('begins anew where its position is no key', async () => {
    await sweep()
    await sql`update orphan_sweeps set after_key = 'images/bad name'`
    const key = newKey()
    await disk.put(key)
    await disk.age(key, 25)

    expect(await sweep()).toBe(false)

    expect(await sql`select object_key from discarded_objects`).toEqual([{ objectKey: key }])
  })

  test('does not go on behind what it could not list', async () => {
    const key = newKey()
    await disk.put(key)
    await disk.age(key, 25)
    store.list = async function* () {
      yield { key: 'images/zzz', sizeBytes: 1, lastModifiedAt: new Date(0) }
      throw new Error('The listing broke.')
    }
    await expect(sweep()).rejects.toThrow('The listing broke.')

    Object.assign(store, disk.store)
    await sweep()

    expect(await sql`select object_key from discarded_objects`).toEqual([{ objectKey: key }])
  })
})

describe('forget unfinished uploads', () => {
  test('lets an old image go that a crash left half done, row and file', async () => {
    const key = newKey()
    const id = await uploading(key, 25)
    await disk.put(key)

    expect(await forget()).toBe(false)
    await purge()

    expect(await sql`select from images where id = ${id}`).toHaveLength(0)
    expect(await isThere(key)).toBe(false)
  })

  test('lets an old layer go that never arrived', async () => {
    const { version, objectKey } = await layerUpload()
    await disk.put(objectKey)
    await sql`update region_layers set created_at = now() - interval '25 hours' where object_key = ${objectKey}`

    await forget()
    await purge()

    expect(await sql`select from region_layers where object_key = ${objectKey}`).toHaveLength(0)
    expect(await isThere(objectKey)).toBe(false)
    await expect(admin.client.regions.completeLayer('reef', 'depth', version)).rejects.toMatchObject({
      code: 'layer_not_found',
    })
  })

  test('keeps what is young, and what is completed however old it is', async () => {
    const image = await upload(service, ana, somePng())
    await sql`update images set created_at = now() - interval '1000 hours'`
    const young = await uploading(newKey(), 23)
    const { objectKey } = await layerUpload()

    await forget()

    expect(await sql`select from images where id in ${sql([image.id, young])}`).toHaveLength(2)
    expect(await sql`select from region_layers where object_key = ${objectKey}`).toHaveLength(1)
    expect(await sql`select from discarded_objects`).toHaveLength(0)
  })

  test('passes over what is being completed', async () => {
    const id = await uploading(newKey(), 25)

    await sql.begin(async (tx) => {
      await tx`select from images where id = ${id} for update`
      await forget()
    })

    expect(await sql`select from images where id = ${id}`).toHaveLength(1)
  })

  test('takes a hundred at a time', async () => {
    for (let i = 0; i < 101; i++) await uploading(newKey(), 25)

    expect(await forget()).toBe(true)
    expect(await sql`select from images`).toHaveLength(1)
    expect(await forget()).toBe(false)
    expect(await sql`select from images`).toHaveLength(0)
  })

  test('forgets no file whose row stays', async () => {
    const id = await uploading(newKey(), 25)
    await sql`alter table discarded_objects rename to discarded_elsewhere`

    await expect(forget()).rejects.toThrow('"discarded_objects" does not exist')

    await sql`alter table discarded_elsewhere rename to discarded_objects`
    expect(await sql`select from images where id = ${id}`).toHaveLength(1)
  })
})

describe('purge discarded files', () => {
  /** Written down as discarded, the first the longest ago. */
  async function discarded(...keys: string[]) {
    for (const [i, key] of keys.entries())
      await sql`
        insert into discarded_objects (object_key, discarded_at)
        values (${key}, now() - interval '2 hours' + ${`${i} seconds`}::interval)
      `
  }
  const left = async () =>
    (await sql<{ objectKey: string }[]>`select object_key from discarded_objects order by discarded_at`).map(
      ({ objectKey }) => objectKey,
    )

  test('forgets names that are no keys, and deletes the others', async () => {
    const key = newKey()
    await disk.put(key)
    await discarded('images/bad name', 'images/', key)
    log.lines.length = 0

    await chores['purge discarded files']()

    expect(await isThere(key)).toBe(false)
    expect(await left()).toEqual([])
    expect(log.lines).toMatchObject([{ level: 'warn', fields: { names: ['images/bad name', 'images/'] } }])
  })

  test('is not held up by what cannot be deleted, which waits for another hour', async () => {
    const [stuck, ...others] = Array.from({ length: 4 }, newKey)
    for (const key of others) await disk.put(key)
    await discarded(stuck!, ...others)
    const deleted: string[][] = []
    store.delete = async (keys) => {
      deleted.push(keys)
      if (keys.includes(stuck!)) throw new Error('Access denied.')
      await disk.store.delete(keys)
    }
    log.lines.length = 0

    await chores['purge discarded files']()

    for (const key of others) expect(await isThere(key)).toBe(false)
    expect(await left()).toEqual([stuck])
    expect(log.lines).toMatchObject([{ level: 'warn', fields: { keys: [stuck] } }])
    deleted.length = 0
    await chores['purge discarded files']()
    expect(deleted).toEqual([])
  })

  test('tries few of them while nothing can be deleted, and others the next time', async () => {
    const keys = Array.from({ length: 8 }, newKey)
    await discarded(...keys)
    const tried: string[] = []
    store.delete = async (some) => {
      if (some.length === 1) tried.push(some[0]!)
      throw new Error('The store is away.')
    }

    await expect(chores['purge discarded files']()).rejects.toThrow('The store is away.')
    expect(tried).toEqual(keys.slice(0, 3))
    await expect(chores['purge discarded files']()).rejects.toThrow('The store is away.')
    expect(tried).toEqual(keys.slice(0, 6))
    expect(await left()).toHaveLength(8)
  })

  test('keeps what was discarded within the hour, and tries again what it could not delete', async () => {
    const key = newKey()
    await disk.put(key)
    await sql`insert into discarded_objects (object_key) values (${key})`
    await chores['purge discarded files']()
    expect(await isThere(key)).toBe(true)

    store.delete = () => Promise.reject(new Error('The store is away.'))
    await expect(purge()).rejects.toThrow('The store is away.')
    Object.assign(store, disk.store)
    await purge()

    expect(await isThere(key)).toBe(false)
    expect(await sql`select from discarded_objects`).toHaveLength(0)
  })
})

async function layerUpload() {
  const file = { sizeBytes: 10, sha256: 'a'.repeat(64) }
  const { version } = await admin.client.regions.createLayerUpload('reef', 'depth', file)
  const [row] = await sql<{ objectKey: string }[]>`
    select object_key from region_layers where region = 'reef' and name = 'depth' and version = ${version}
  `
  return { version, objectKey: row!.objectKey }
}
