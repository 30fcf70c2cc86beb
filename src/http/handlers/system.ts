import { contractDocument } from '../../contract-document.ts'
import { inTime } from '../../in-time.ts'
import type { Log } from '../../log.ts'
import type { Handlers } from '../contract.ts'
import type { Docs } from '../docs.ts'

type SystemOperation = 'getContract' | 'getDocs' | 'getLiveness' | 'getReadiness'

export interface SystemHandlerDeps {
  /** Each throws if what it asks does not answer. */
  checks: { database(): Promise<unknown>; store(): Promise<unknown> }
  docs: Docs
  log: Log
}

const patienceMs = 3000

export const systemHandlers = ({ checks, docs, log }: SystemHandlerDeps): Handlers<SystemOperation> => ({
  async getContract() {
    return { status: 200, body: await contractDocument() }
  },

  async getDocs() {
    const { html, policy, etag } = await docs()
    const said = { ETag: etag, 'Cache-Control': 'no-cache', 'Content-Security-Policy': policy }
    return { status: 200, contentType: 'text/html', raw: html, headers: said }
  },

  async getLiveness() {
    return { status: 200, body: { status: 'ok' } }
  },

  async getReadiness() {
    const ask = async (name: keyof typeof checks) => {
      try {
        await inTime(checks[name](), patienceMs, noAnswer)
        return 'ok' as const
      } catch (error) {
        log.warn('not ready', { error, check: name })
        return 'unavailable' as const
      }
    }
    const [database, store] = await Promise.all([ask('database'), ask('store')])
    const isReady = database === 'ok' && store === 'ok'
    if (isReady) return { status: 200, body: { status: 'ok', checks: { database, store } } }
    return { status: 503, body: { status: 'unavailable', checks: { database, store } }, headers: { 'Retry-After': 2 } }
  },
})

function noAnswer(): never {
  throw new Error(`No answer within ${patienceMs} ms.`)
}
