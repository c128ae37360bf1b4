import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { gzipSync } from 'node:zlib'
import { defineConfig } from 'vite'

const types = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  webmanifest: 'application/manifest+json'
}

const filesBelow = folder =>
  readdirSync(folder, { withFileTypes: true }).flatMap(entry =>
    entry.isDirectory() ? filesBelow(join(folder, entry.name)) : [join(folder, entry.name)])

/** Gzips what the build made and lists it for embed.cmake: "PATH|TYPE|TAG|FILE" a line. */
const embed = output => ({
  name: 'posthorn-embed',
  apply: 'build',
  closeBundle() {
    rmSync(output, { recursive: true, force: true })
    mkdirSync(output, { recursive: true })
    const rows = filesBelow('dist').sort().map(file => {
      const content = readFileSync(file)
      const tag = createHash('sha256').update(content).digest('hex').slice(0, 16)
      // Node writes no time into the header, so the same source gives the same bytes.
      writeFileSync(join(output, `${tag}.gz`), gzipSync(content, { level: 9 }))
      return `/${relative('dist', file)}|${types[file.split('.').pop()]}|${tag}|${tag}.gz`
    })
    writeFileSync(join(output, 'files.txt'), rows.join('\n') + '\n')
  }
})

export default defineConfig({
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  build: { target: 'es2020', modulePreload: false, assetsInlineLimit: 0, reportCompressedSize: false },
  plugins: [embed(process.env.POSTHORN_PAGE_OUTPUT ?? 'embedded')]
})
