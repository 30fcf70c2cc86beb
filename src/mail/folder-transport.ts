import { mkdir, open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { createTransport } from 'nodemailer'
import { localSender, type MailTransport, type Sender, toMessage } from './transport.ts'

export interface FolderTransportOptions {
  folder: string
  from?: Sender | undefined
}

/**
 * Mail into a folder, for where there is no server: one `.eml` file each, which mail programs open. By name they sort as they were
 * written. They hold links that open accounts, so nobody else may read them.
 */
export function folderTransport({ folder, from = localSender }: FolderTransportOptions): MailTransport {
  const composer = createTransport({ streamTransport: true, buffer: true, newline: 'windows' })
  return {
    async send(mail) {
      const { message } = await composer.sendMail(toMessage(mail, from))
      await mkdir(folder, { recursive: true, mode: 0o700 })
      // The same names each time: what a crash left is written over.
      const name = `${mail.createdAt.toISOString().replaceAll(':', '-')}-${mail.id}.eml`
      const unfinished = join(folder, `.${name}`)
      await writeWhole(unfinished, message as Buffer)
      await rename(unfinished, join(folder, name))
    },
    close() {},
  }
}

async function writeWhole(path: string, content: Buffer): Promise<void> {
  const file = await open(path, 'w', 0o600)
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
}
