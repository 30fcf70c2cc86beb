import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { mailWriter } from '../../src/mail/mail-writer.ts'
import type { ClaimedMail, MailData } from '../../src/mail/outbox-store.ts'
import { plainTextOf } from '../../src/mail/plain-text.ts'
import { fill, type Letters, letterNames, renderLetter } from '../../src/mail/templates.ts'

const userId = '019a8f00-0001-7000-8000-000000000001'
const write = mailWriter({
  publicUrl: () => 'https://api.reef.example',
  resetUrl: () => 'https://reef.example/password',
  issueResetToken: async (id) => (id === userId ? 'a secret/token' : 'somebody else’s'),
})

const claimed = <Template extends keyof MailData>(template: Template, data: MailData[Template]) =>
  ({
    id: '019a8f00-000b-7000-8000-00000000000b',
    template,
    recipient: 'ana@reef.example',
    userId,
    data,
    createdAt: new Date('2026-03-02T21:30:00Z'),
    attempts: 1,
    isOrphaned: false,
  }) as ClaimedMail

const jobId = '019a8f00-0002-7000-8000-000000000002'
const finishedAt = '2026-03-02T21:30:00.000Z'
const job = { jobId, type: 'REGIONAL_ASSESSMENT', finishedAt }
const jobLink = `https://api.reef.example/api/jobs/${jobId}`
const resetLink = 'https://reef.example/password#token=a%20secret%2Ftoken'

describe('a letter', () => {
  test.each<[string, ClaimedMail, string, string[]]>([
    [
      'welcome',
      claimed('welcome', { needsPassword: false }),
      'Welcome to Fieldstation',
      ['https://api.reef.example/docs'],
    ],
    ['welcome without a password', claimed('welcome', { needsPassword: true }), 'Welcome to Fieldstation', [resetLink]],
    ['recovery', claimed('recovery', {}), 'Choose a new password', [resetLink]],
    [
      'password changed',
      claimed('password-changed', { changedAt: finishedAt }),
      'Your password was changed',
      ['2 March 2026, 21:30 UTC'],
    ],
    [
      'job finished',
      claimed('job-finished', job),
      'Your job has finished: REGIONAL_ASSESSMENT',
      [jobLink, '2 March 2026, 21:30 UTC'],
    ],
    [
      'job failed',
      claimed('job-failed', { ...job, status: 'FAILED', reason: 'No water\nleft' }),
      'Your job failed: REGIONAL_ASSESSMENT',
      [jobLink, 'No water left'],
    ],
    [
      'job timed out',
      claimed('job-failed', { ...job, status: 'TIMED_OUT' }),
      'Your job ran out of time: REGIONAL_ASSESSMENT',
      [jobLink, 'nobody said why'],
    ],
  ])('of %s says what it has to', async (_, mail, subject, facts) => {
    const written = await write(mail)

    expect(written).toMatchObject({ subject, recipient: 'ana@reef.example', isAutomatic: true })
    for (const fact of facts) {
      expect(written.text).toContain(fact)
      expect(written.html).toContain(fact)
    }
    expect(`${written.text}${written.html}`).not.toMatch(/\{\{|\}\}|undefined|null/)
    expect(written.html).toContain(`<title>${subject}</title>`)
  })

  test('shows what came from elsewhere, and does not obey it', async () => {
    const reason = `<img src=x onerror="alert('1')"> & {{type}}`
    const { html, text } = await write(claimed('job-failed', { ...job, status: 'FAILED', reason }))

    expect(html).toContain('&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt; &amp; {{type}}')
    expect(html).not.toContain('<img')
    expect(text).toContain(reason)
  })

  test('of a welcome makes no way in for those who have one', async () => {
    expect((await write(claimed('welcome', { needsPassword: false }))).text).not.toContain('token')
  })

  test('to nobody of ours carries no way in', async () => {
    await expect(write({ ...claimed('recovery', {}), userId: null })).rejects.toMatchObject({ isFinal: true })
  })
})

/** Something for each place. */
const samples = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, `«${name}»`]))
const places: { [Name in keyof Letters]: (keyof Letters[Name])[] } = {
  welcome: ['docsLink'],
  'welcome-set-password': ['docsLink', 'resetLink'],
  recovery: ['resetLink'],
  'password-changed': ['changedAt'],
  'job-finished': ['type', 'finishedAt', 'jobLink'],
  'job-failed': ['type', 'outcome', 'reason', 'finishedAt', 'jobLink'],
}

describe.each(letterNames)('the template %s', (name) => {
  const folder = new URL('../../src/mail/templates/', import.meta.url)
  const sources = [`${name}.txt`, `${name}.html`].map((file) => readFileSync(new URL(file, folder), 'utf8'))

  test('has a place for each value, and a value for each place', () => {
    const values = samples(places[name])

    const { subject, text, html } = renderLetter(name, values as never)

    for (const value of Object.values(values)) for (const part of [text, html]) expect(part).toContain(value)
    expect(`${subject}${text}${html}`).not.toMatch(/\{\{|\}\}/)
  })

  test('misses a value that is not given, and minds one too many', () => {
    const [first, ...others] = places[name] as string[]

    expect(() => renderLetter(name, samples(others) as never)).toThrow(`{{${first}}}`)
    expect(() => renderLetter(name, samples([...(places[name] as string[]), 'surplus']) as never)).toThrow(
      'no place for surplus',
    )
  })

  test('fetches nothing from elsewhere, and says the same in both', () => {
    const [text, html] = sources as [string, string]
    const { html: page } = renderLetter(name, samples(places[name]) as never)

    expect(page).not.toMatch(/<(img|link|script|iframe|video)\b|url\(|@import/i)
    expect(page).toContain('color-scheme')
    const words = (source: string) => source.match(/[\p{L}\p{N}{}]+/gu)
    expect(words(plainTextOf(html))).toEqual(words(text.replace(/^.*\n/, '')))
  })
})

test('every file of the templates is one', () => {
  const files = readdirSync(new URL('../../src/mail/templates/', import.meta.url))

  expect(files.sort()).toEqual([...letterNames.flatMap((name) => [`${name}.html`, `${name}.txt`]), 'frame.html'].sort())
})

test('a place is filled once: what fills it is not looked at again', () => {
  expect(fill('{{a}} and {{b}}', { a: '{{b}}', b: '$&' }, (value) => value, ['a', 'b'])).toBe('{{b}} and $&')
})

describe('what somebody wrote', () => {
  const html = `<html><head><title>No</title><style>p { color: red }</style></head><body>
    <h1>The&nbsp;boats</h1><p>leave at <b>six</b> &amp; seven.<br>Bring <a href="https://reef.example/list?a=1&amp;b=2">what you
    need</a>.</p><ul><li>water</li><li>hats &lt;3</li></ul><!-- <p>not this --><script>alert(1)</script>
    <a href='https://reef.example'>https://reef.example</a></body></html>`

  test('as HTML alone gets its words as text, too', async () => {
    const written = await write(claimed('message', { subject: 'Boats', html }))

    expect(written).toMatchObject({ subject: 'Boats', html, isAutomatic: false })
    expect(written.text).toBe(
      [
        'The boats',
        '',
        'leave at six & seven.',
        'Bring what you need (https://reef.example/list?a=1&b=2).',
        '',
        '- water',
        '- hats <3',
        '',
        'https://reef.example',
      ].join('\n'),
    )
  })

  test('stays as it is otherwise', async () => {
    const text = '  {{a}} <b>&amp;\n'

    expect(await write(claimed('message', { subject: 'Boats', text }))).toMatchObject({ text, html: undefined })
    expect(await write(claimed('message', { subject: 'Boats', text, html }))).toMatchObject({ text, html })
  })

  test.each([
    ['<'.repeat(200_000), ''],
    ['<style>'.repeat(28_000), ''],
    ['<a href=x></a>'.repeat(14_000), '(x)'],
    ['<!--'.repeat(50_000), ''],
    ['a < b', 'a'],
    ['&#xD800;&#99999999;&unknown;&#0;', '&#99999999;&unknown;'],
  ])('is read to its end, however it is made: %.20s', async (strange, start) => {
    const { text } = await write(claimed('message', { subject: 'Strange', html: strange }))

    expect(text.startsWith(start)).toBe(true)
  })
})
