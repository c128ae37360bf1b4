import { useState } from 'preact/hooks'
import { call } from '../api.js'
import { useText } from '../i18n.js'
import { Card, CopyButton, Missing, usePolled } from '../ui.jsx'

/** "2026-11-30T01:47:05.257Z <4>throttle: …": the number is syslog's, 3 an error, 4 a warning. */
const kWrong = /<([0-4])>/

export function Log() {
  const { t } = useText()
  const [only, setOnly] = useState(false)
  const state = usePolled(async () => (await call('getLog')).log, 3000)
  const lines = (state.value ?? '').split('\n').filter(line => line && (!only || kWrong.test(line)))
    .map(line => line.replace(/<(\d)>/, (_, level) => level > 4 ? '' : `${t(`log.word.${level === '4' ? 4 : 3}`)}: `))
  return (
    <Card title={t('log.title')}>
      <p>{t('log.what')}</p>
      <label class="check"><input type="checkbox" checked={only} onChange={e => setOnly(e.target.checked)} /> {t('log.only')}</label>
      <CopyButton label={t('log.title')} value={lines.join('\n')} />
      <Missing state={state} />
      <pre class="log" tabIndex={0} aria-label={t('log.title')} lang="en" dir="ltr">{lines.slice(-300).join('\n')}</pre>
    </Card>
  )
}
