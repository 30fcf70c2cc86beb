import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import PostalMime from 'postal-mime'
import { describe, expect, onTestFinished, test } from 'vitest'
import { folderTransport } from '../../src/mail/folder-transport.ts'
import type { OutgoingMail } from '../../src/mail/transport.ts'

const from = { name: 'Fieldstation', address: 'no-reply@fieldstation.local' }

const mailOf = (minute: number, more: Partial<OutgoingMail> = {}): OutgoingMail => ({
  id: `019a8f00-000b-7000-8000-0000000000${minute}`,
  createdAt: new Date(`2026-03-02T21:${minute}:00.123Z`),
  recipient: 'ana@reef.example',
  subject: 'Grüße',
  text: 'Tromsø',
  isAutomatic: false,
  ...more,
})

async function open() {
  const home = await mkdtemp(join(tmpdir(), 'fieldstation-outbox-'))
  onTestFinished(() => rm(home, { recursive: true, force: true }))
  const folder = join(home, 'outbox')
  return { folder, transport: folderTransport({ folder, from }) }
}

describe('an outbox folder', () => {
  test('gets one file for each mail, in the order in which they were written, for nobody else to read', async () => {
    const { folder, transport } = await open()

    for (const minute of [31, 30, 32]) await transport.send(mailOf(minute, { html: '<p>Tromsø</p>' }))

    const files = await readdir(folder)
    expect(files.sort()).toEqual(
      [30, 31, 32].map((minute) => `2026-03-02T21-${minute}-00.123Z-${mailOf(minute).id}.eml`),
    )
    expect((await stat(folder)).mode & 0o777).toBe(0o700)
    expect((await stat(join(folder, files[0]!))).mode & 0o777).toBe(0o600)
    expect(await PostalMime.parse(await readFile(join(folder, files[0]!)))).toMatchObject({
      from,
      to: [{ address: 'ana@reef.example' }],
      subject: 'Grüße',
      messageId: `<${mailOf(30).id}@fieldstation.local>`,
      text: 'Tromsø\n',
      html: '<p>Tromsø</p>\n',
    })
  })

  test('has a mail once that is sent twice, and nothing left of one that was cut short', async () => {
    const { folder, transport } = await open()
    await transport.send(mailOf(30))
    const [name] = await readdir(folder)
    await writeFile(join(folder, `.${name}`), 'a longer half of the ma', { mode: 0o600 })

    await transport.send(mailOf(30))

    expect(await readdir(folder)).toEqual([name])
    expect(await PostalMime.parse(await readFile(join(folder, name!)))).toMatchObject({ text: 'Tromsø\n' })
  })

  test('takes no mail that it cannot keep', async () => {
    const { folder, transport } = await open()
    await writeFile(folder, 'in the way')

    await expect(transport.send(mailOf(30))).rejects.toThrow('EEXIST')
  })
})
