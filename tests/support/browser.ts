import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'
import { afterAll } from 'vitest'

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'

/** Whether there is a browser to try things in. Tests that need one say in their skip that Chromium is missing. */
export const hasBrowser = existsSync(executablePath)

/** A headless Chromium of the file's own, which asks nobody but whom its pages ask. Call it at the top of a test file. */
export async function startBrowser(): Promise<Browser> {
  const quiet = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking']
  const browser = await chromium.launch({
    executablePath,
    args: [...quiet, '--disable-component-update', '--disable-sync'],
  })
  afterAll(() => browser.close())
  return browser
}
