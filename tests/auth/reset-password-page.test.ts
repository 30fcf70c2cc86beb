import { createHash } from 'node:crypto'
import { afterAll, describe, expect, test } from 'vitest'
import { passwordResets } from '../../src/auth/password-resets.ts'
import { startHttpServer } from '../../src/main/http-server.ts'
import { hasBrowser, startBrowser } from '../support/browser.ts'
import { otherPassword, register, signedIn } from '../support/people.ts'
import { startTestService } from '../support/service.ts'

const service = await startTestService()
const resets = passwordResets(service.sql)
const server = await startHttpServer({ fetch: service.app.fetch, host: '127.0.0.1', port: 0 })
afterAll(() => server.stop())
const browser = hasBrowser ? await startBrowser() : undefined

describe('getResetPasswordPage', () => {
  test('is let do nothing but run what it brings along', async () => {
    const response = await service.send('/reset-password')
    const page = await response.text()

    const policy = response.headers.get('content-security-policy')!
    const [script, style] = [/<script>([\s\S]*)<\/script>/, /<style>([\s\S]*)<\/style>/].map((part) => {
      const [, text] = page.match(part)!
      return `'sha256-${createHash('sha256').update(text!).digest('base64')}'`
    })
    expect(policy.split('; ')).toEqual([
      "default-src 'none'",
      `script-src ${script}`,
      `style-src ${style}`,
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ])
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/html',
      'referrer-policy': 'no-referrer',
      'x-frame-options': 'DENY',
      'cache-control': 'no-store',
    })
    expect(page).not.toMatch(/https?:|\/\/[a-z]/)
  })
})

describe.skipIf(!hasBrowser)('the page, in a browser (skipped where Chromium is missing)', () => {
  /** The page as the link of a mail opens it. */
  async function open(token?: string) {
    const page = await browser!.newPage()
    const trouble: string[] = []
    page.on('pageerror', (error) => trouble.push(error.message))
    page.on('console', (message) => message.type() === 'error' && trouble.push(message.text()))
    await page.goto(`${server.url}/reset-password${token ? `#token=${token}` : ''}`)
    const send = async (password: string, again = password) => {
      await page.getByLabel('New password').fill(password)
      await page.getByLabel('The same again').fill(again)
      await page.getByRole('button', { name: 'Set password' }).click()
    }
    return { page, trouble, send, alert: page.getByRole('alert'), status: page.getByRole('status') }
  }

  test('sets the password, and the token is in no address', async () => {
    const { id, email } = await register(service)
    const { page, trouble, send, status } = await open(await resets.issue(id))
    expect(page.url()).toBe(`${server.url}/reset-password`)

    await send(otherPassword)

    await status.filter({ hasText: 'Your password is set' }).waitFor()
    expect(trouble).toEqual([])
    expect((await signedIn(service, email, otherPassword)).token).toBeTypeOf('string')
  })

  test('says what is wrong, and lets one try again', async () => {
    const { id, email } = await register(service)
    const { send, alert, status } = await open(await resets.issue(id))

    await send(otherPassword, 'another-one-altogether')
    await alert.filter({ hasText: 'differ' }).waitFor()
    await send('qwerty123456')
    await alert.filter({ hasText: 'others would guess' }).waitFor()
    await send(otherPassword)

    await status.filter({ hasText: 'Your password is set' }).waitFor()
    expect((await signedIn(service, email, otherPassword)).token).toBeTypeOf('string')
  })

  test('says so where the link is worthless, or none', async () => {
    const used = await open('fsp_nonsense')
    await used.send(otherPassword)
    await used.alert.filter({ hasText: 'has been used or has expired' }).waitFor()
    expect(await used.page.getByRole('button').count()).toBe(0)

    const bare = await open()
    await bare.alert.filter({ hasText: 'needs the link from your mail' }).waitFor()
  })
})
