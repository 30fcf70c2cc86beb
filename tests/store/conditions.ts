/** Conditions of a request for a file, by what they are, with the status of their answer (RFC 9110, section 13.2.2). */
export function conditionsOf(etag: string, lastModified: string): [string, Record<string, string>, number][] {
  const modifiedAt = new Date(lastModified).getTime()
  const [earlier, later] = [modifiedAt - 1000, modifiedAt + 1000].map((at) => new Date(at).toUTCString()) as [
    string,
    string,
  ]
  return [
    ['modified since its date', { 'if-modified-since': lastModified }, 304],
    ['modified since its date, in the words of RFC 850', { 'if-modified-since': ofRfc850(lastModified) }, 304],
    ['modified since its date, in the words of asctime', { 'if-modified-since': ofAsctime(lastModified) }, 304],
    ['modified since a later date', { 'if-modified-since': later }, 304],
    ['modified since an earlier date', { 'if-modified-since': earlier }, 200],
    ['modified since what is no date', { 'if-modified-since': later.slice(5) }, 200],
    ['modified since what is no date, either', { 'if-modified-since': 'Mon, 99 Foo 2026 00:00:00 GMT' }, 200],
    ['another tag, whatever the date', { 'if-none-match': '"other"', 'if-modified-since': later }, 200],
    ['its tag, whatever the date', { 'if-none-match': etag, 'if-modified-since': earlier }, 304],
    ['its date, and a range', { 'if-modified-since': lastModified, range: 'bytes=0-1' }, 304],

    ['must have its tag', { 'if-match': etag }, 200],
    ['must have one of several tags', { 'if-match': `"other" , ${etag}` }, 200],
    ['must be there', { 'if-match': '*' }, 200],
    ['must have another tag', { 'if-match': '"other"' }, 412],
    ['must have its tag, weakly', { 'if-match': `W/${etag}` }, 412],
    ['must have its tag, and is known', { 'if-match': etag, 'if-none-match': etag }, 304],
    ['must have another tag, and is known', { 'if-match': '"other"', 'if-none-match': etag }, 412],
    ['must have another tag, and a range', { 'if-match': '"other"', range: 'bytes=999999999-' }, 412],

    ['unmodified since its date', { 'if-unmodified-since': lastModified }, 200],
    ['unmodified since an earlier date', { 'if-unmodified-since': earlier }, 412],
    ['unmodified since what is no date', { 'if-unmodified-since': 'yesterday' }, 200],
    ['must have its tag, whatever the date', { 'if-match': etag, 'if-unmodified-since': earlier }, 200],
    ['must have another tag, whatever the date', { 'if-match': '"other"', 'if-unmodified-since': later }, 412],
    ['unmodified, and modified, since', { 'if-unmodified-since': earlier, 'if-modified-since': lastModified }, 412],
  ]
}

const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']

function ofRfc850(date: string): string {
  const [, day, month, year, time] = date.split(' ') as string[]
  return `${days[new Date(date).getUTCDay()]}, ${day}-${month}-${year!.slice(2)} ${time} GMT`
}

function ofAsctime(date: string): string {
  const [weekday, day, month, year, time] = date.split(' ') as string[]
  return `${weekday!.slice(0, 3)} ${month} ${day!.replace(/^0/, ' ')} ${time} ${year}`
}
