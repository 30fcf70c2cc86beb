/** A picture there and back, by a form and by a signed URL. Tells what came of it. */
export async function moveImages(client, polygonId) {
  const bytes = Uint8Array.from(atob(png), (character) => character.charCodeAt(0))
  const picture = new Blob([bytes], { type: 'image/png' })
  const sent = await client.images.create(picture, { name: 'récif "ouest".png', polygonId })
  let doneBytes = 0
  const onProgress = (progress) => (doneBytes = progress.doneBytes)
  const uploaded = await client.images.upload(picture, { name: 'signed.png', polygonId }, { onProgress })
  const whole = await client.images.download(sent.id)
  const part = await client.images.download(uploaded.id, { headers: { Range: 'bytes=1-3' } })
  return {
    names: [sent.name, uploaded.name],
    isAllSent: doneBytes === picture.size,
    isSame: String(new Uint8Array(await whole.arrayBuffer())) === String(bytes),
    part: [part.status, await part.text()],
    disposition: whole.headers.get('content-disposition') !== null,
  }
}

/** Three pixels wide and two high. */
const png = 'iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAAC0lEQVR4nGNgwAQAABQAAX3+Hu4AAAAASUVORK5CYII='
