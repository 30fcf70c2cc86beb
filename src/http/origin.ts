import type { IncomingMessage } from 'node:http'
import type { Context } from 'hono'
import type { Origin } from '../audit/audit-log.ts'

/** What the server that listens tells of a request, beside the request. */
interface ServerBindings {
  /** On Node. */
  incoming?: IncomingMessage
  /** Where somebody else has accepted the connection, such as a gateway. */
  remoteAddress?: string
}

/**
 * Where a request came from. Each proxy adds to the end of `X-Forwarded-For` whom it was asked by: with so many that we trust, so many
 * entries from the end is the client. What stands before that anybody may have written.
 */
export function originOf(c: Context, trustedProxies: number): Origin {
  const { incoming, remoteAddress = incoming?.socket.remoteAddress } = (c.env ?? {}) as ServerBindings
  const forwarded =
    c.req
      .header('x-forwarded-for')
      ?.split(',')
      .map((entry) => entry.trim()) ?? []
  const address = trustedProxies > 0 ? (forwarded.at(-trustedProxies) ?? remoteAddress) : remoteAddress
  return {
    address: address === undefined ? undefined : plainAddress(address),
    userAgent: c.req.header('user-agent')?.slice(0, 200),
    requestId: c.get('requestId' as never) as string,
  }
}

/** Some proxies add the port. An address of IPv4 may be written as one of IPv6, which would make two of one client. */
function plainAddress(written: string): string {
  const [, bare = written] = /^\[(.*)\](?::\d+)?$/.exec(written) ?? /^([\d.]+):\d+$/.exec(written) ?? []
  const [, mapped = bare] = /^(?:0{0,4}:){0,5}:?ffff:([\d.]+)$/i.exec(bare) ?? []
  return mapped.slice(0, 45)
}
