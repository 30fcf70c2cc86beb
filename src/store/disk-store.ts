import { mkdirSync, rmSync } from 'node:fs'
import { link, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { storeTrouble } from './disk-trouble.ts'
import {
  assertDirectories,
  listObjects,
  locate,
  makeDirectories,
  removeEmpty,
  syncDirectory,
} from './object-directory.ts'
import { type Expected, type OpenObject, openObjectFile, writeObjectFile } from './object-file.ts'
import { assertContentType, assertKey, assertPrefix, type ObjectBody, type ObjectStore } from './object-store.ts'
import { type Grant, readGrant, signGrant, type UploadGrant } from './signed-url.ts'

export interface DiskStoreOptions {
  /** The store's alone: at its start it removes what unfinished uploads left there. */
  root: string
  /** Signs URLs; another one makes all that are out invalid. */
  secret: string
  /** Where `diskStoreRoutes` are mounted, without a slash at the end; a function where that is known only later. */
  baseUrl: string | (() => string)
  /** Milliseconds since 1970. */
  now?: () => number
}

export interface DiskStore extends ObjectStore {
  /** What a signed URL permits. */
  readUrl(method: Grant['method'], key: string, query: URLSearchParams): Grant | 'invalid' | 'expired'
  /** Stores exactly what was granted and never over another object. Throws `ObjectMismatch`. */
  receive(grant: UploadGrant, body: ObjectBody): Promise<'created' | 'repeated' | 'exists'>
  /** The caller closes it, or reads it to the end. */
  open(key: string): Promise<OpenObject | undefined>
}

/** Objects as files under a directory, with signed URLs of our own that `diskStoreRoutes` serves. */
export function createDiskStore({ root, secret, baseUrl, now = Date.now }: DiskStoreOptions): DiskStore {
  const temporary = join(root, '~temporary')
  rmSync(temporary, { recursive: true, force: true })
  mkdirSync(temporary, { recursive: true, mode: 0o700 })

  const url = (grant: Grant) => {
    const base = typeof baseUrl === 'function' ? baseUrl() : baseUrl
    return {
      url: `${base}/${grant.key}?${signGrant(grant, secret)}`,
      expiresAt: new Date(grant.expiresAtSeconds * 1000),
    }
  }
  const expiresAtSeconds = (expirySeconds: number) => Math.floor(now() / 1000) + expirySeconds

  async function open(key: string): Promise<OpenObject | undefined> {
    assertKey(key)
    const { directories, file } = locate(root, key)
    try {
      await assertDirectories(directories)
      return await openObjectFile(file)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw storeTrouble(error)
      await assertRoot()
      return undefined
    }
  }

  /** Whole and synced under another name first; `publish` then makes it appear. */
  async function write(
    key: string,
    body: ObjectBody,
    facts: Expected & { contentType: string },
    publish: (from: string, to: string) => Promise<void>,
  ): Promise<void> {
    const file = join(temporary, crypto.randomUUID())
    try {
      await writeObjectFile(file, body, facts)
      await settle(key, file, publish)
    } catch (error) {
      throw storeTrouble(error)
    } finally {
      await rm(file, { force: true })
    }
  }

  async function settle(key: string, from: string, publish: (from: string, to: string) => Promise<void>) {
    const { directories, file } = locate(root, key)
    for (let triesLeft = 3; ; triesLeft--) {
      try {
        await makeDirectories(root, directories)
        await publish(from, file)
        return await syncDirectory(dirname(file))
      } catch (error) {
        // A delete of the last object beside it took the directory away in between.
        if (triesLeft === 0 || (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      }
    }
  }

  /** An empty directory and a vanished one would otherwise look the same. */
  async function assertRoot(): Promise<void> {
    await stat(temporary).catch((error) => {
      throw storeTrouble(error)
    })
  }

  async function head(key: string) {
    const object = await open(key)
    await object?.close()
    return object?.info
  }

  return {
    open,
    head,

    async signUpload(key, { expirySeconds, ...terms }) {
      assertKey(key)
      assertContentType(terms.contentType)
      const { contentType, sizeBytes, sha256 } = terms
      const expiry = expiresAtSeconds(expirySeconds)
      const signed = url({ method: 'PUT', key, expiresAtSeconds: expiry, contentType, sizeBytes, sha256 })
      return { ...signed, method: 'PUT', headers: { 'content-type': contentType } }
    },

    async signDownload(key, { expirySeconds, fileName, contentType }) {
      assertKey(key)
      if (contentType !== undefined) assertContentType(contentType)
      return url({ method: 'GET', key, expiresAtSeconds: expiresAtSeconds(expirySeconds), contentType, fileName })
    },

    readUrl(method, key, query) {
      const grant = readGrant(method, key, query, secret)
      if (!grant) return 'invalid'
      return now() < grant.expiresAtSeconds * 1000 ? grant : 'expired'
    },

    async receive({ key, contentType, sizeBytes, sha256 }, body) {
      assertKey(key)
      try {
        await write(key, body, { contentType, sizeBytes, sha256 }, link)
        return 'created'
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
      const existing = await head(key)
      return existing?.sha256 === sha256 && existing.contentType === contentType ? 'repeated' : 'exists'
    },

    async put(key, body, facts) {
      assertKey(key)
      assertContentType(facts.contentType)
      await write(key, body, facts, rename)
      const info = await head(key)
      if (!info) throw new Error(`${key} was deleted while it was being put.`)
      return info
    },

    async get(key, { range } = {}) {
      const object = await open(key)
      try {
        return object && { info: object.info, body: object.read(range) }
      } catch (error) {
        await object?.close()
        throw error
      }
    },

    async *list(prefix, { after = '' } = {}) {
      assertPrefix(prefix)
      if (after) assertKey(after)
      await assertRoot()
      try {
        yield* listObjects(root, prefix, after)
      } catch (error) {
        throw storeTrouble(error)
      }
    },

    async delete(keys) {
      keys.forEach(assertKey)
      for (const key of keys) {
        const { directories, file } = locate(root, key)
        try {
          await assertDirectories(directories)
          await rm(file, { force: true })
          await removeEmpty(directories)
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw storeTrouble(error)
          await assertRoot()
        }
      }
    },

    async check() {
      const file = join(temporary, crypto.randomUUID())
      try {
        await writeFile(file, 'x')
        await rm(file)
      } catch (error) {
        throw storeTrouble(error)
      }
    },
  }
}
