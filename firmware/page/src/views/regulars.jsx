import { useState } from 'preact/hooks'
import { call } from '../api.js'
import { useText } from '../i18n.js'
import { Card, Field, useAction } from '../ui.jsx'

// The box takes half a megabyte at once, and JSON may double a character.
const PIECE = 200_000

/** Whole lines, so many characters at most. */
function piecesOf(text) {
  const pieces = []
  let piece = ''
  for (const line of text.split('\n')) {
    if (piece && piece.length + line.length >= PIECE) {
      pieces.push(piece)
      piece = ''
    }
    piece += line.slice(0, 1000) + '\n'
  }
  if (piece) pieces.push(piece)
  return pieces
}

function InUse() {
  const { t } = useText()
  const [who, setWho] = useState('')
  const [months, setMonths] = useState('')
  const action = useAction()
  const send = event => {
    event.preventDefault()
    action.run(() => call('declareNumberInUse', { body: { who, months: Number(months) } }), t('saved'))
  }
  return (
    <form onSubmit={send}>
      <Field label={t('regulars.months')} type="number" min={1} max={600} required value={months} onInput={e => setMonths(e.target.value)} />
      <Field label={t('who')} required autocomplete="name" value={who} onInput={e => setWho(e.target.value)} />
      <button disabled={action.busy}>{t('regulars.declare')}</button>
      {action.line}
    </form>
  )
}

function List() {
  const { t } = useText()
  const [who, setWho] = useState('')
  const [file, setFile] = useState(null)
  const [sum, setSum] = useState(null)
  const action = useAction()
  const send = event => {
    event.preventDefault()
    setSum(null)
    action.run(async () => {
      const all = { added: 0, known: 0, refused: 0 }
      for (const csv of piecesOf(await file.text())) {
        const one = await call('importRegulars', { body: { who, csv } })
        for (const name of Object.keys(all)) all[name] += one[name]
      }
      setSum(all)
    })
  }
  return (
    <form onSubmit={send}>
      <Field label={t('regulars.file')} help={t('regulars.form')} type="file" accept=".csv,.txt,text/*" required onChange={e => setFile(e.target.files[0])} />
      <Field label={t('who')} required autocomplete="name" value={who} onInput={e => setWho(e.target.value)} />
      <button disabled={action.busy || !file}>{t('regulars.import')}</button>
      {sum && <p class="result" role="status">{t('regulars.sum', sum)}</p>}
      {action.line}
    </form>
  )
}

export function Regulars({ count }) {
  const { t } = useText()
  return (
    <Card title={t('regulars.title')}>
      <p>{t('regulars.what', { count })}</p>
      <List />
      <InUse />
    </Card>
  )
}
