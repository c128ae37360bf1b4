// A voice note as far as anybody reads it without decoding: Ogg pages of Opus packets, loud where they are long.

/** levels: bytes of each packet of 20 ms. */
export function voiceNote(levels) {
  const page = (packets, position, flags) => {
    const segments = packets.flatMap(p => [...Array(Math.floor(p.length / 255)).fill(255), p.length % 255])
    const head = Buffer.alloc(27)
    head.write('OggS')
    head[5] = flags
    head.writeBigUInt64LE(BigInt(position), 6)
    head[26] = segments.length
    return Buffer.concat([head, Buffer.from(segments), ...packets])
  }
  const opusHead = Buffer.alloc(19)
  opusHead.write('OpusHead')
  opusHead.set([1, 1], 8)
  opusHead.writeUInt32LE(48_000, 12)
  const pages = [page([opusHead], 0, 2), page([Buffer.from('OpusTags\0\0\0\0\0\0\0\0')], 0, 0)]
  for (let at = 0; at < levels.length; at += 50) {
    const packets = levels.slice(at, at + 50).map(size => Buffer.concat([Buffer.from([0x78]), Buffer.alloc(size - 1, at)]))
    pages.push(page(packets, (at + packets.length) * 960, at + 50 >= levels.length ? 4 : 0))
  }
  return Buffer.concat(pages)
}

/** Three seconds: nothing, somebody speaks, nothing. */
export const spoken = () => voiceNote(Array.from({ length: 150 }, (_, i) => (i >= 50 && i < 100 ? 120 : 3)))
