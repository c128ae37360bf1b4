import { call } from './api.js'
import { useText } from './i18n.js'
import { Said, usePolled } from './ui.jsx'

/** What is seldom news, beside the line to WhatsApp: the till, the official number, the board, and when the quiet hours end. */
const lookUp = async () => {
  const [webhook, official, board, pace] = await Promise.all([
    call('getWebhookStatus'), call('getOfficialStatus'), call('getBoardStatus'), call('getThrottleSettings')
  ])
  const list = []
  if (webhook.failing) list.push({ what: 'webhook', said: webhook.sentence, at: '/settings' })
  if (official.on && !official.works) list.push({ what: 'official', said: official.sentence, at: '/cloud' })
  if (board.storageNearEnd) list.push({ what: 'card', at: '/box' })
  if (board.underVoltage) list.push({ what: 'power', at: '/box' })
  return { list, morning: pace.quiet_to_min.value }
}

/** { list, morning }: what needs a person, and the minute of the day at which the quiet hours end; undefined: not known yet. */
export function useAlerts() {
  const { value } = usePolled(lookUp, 30_000)
  return value ?? { list: [] }
}

export function Alerts({ list }) {
  const { t } = useText()
  if (!list.length) return null
  return (
    <ul class="list">{list.map(one => (
      <li key={one.what}><p><a href={one.at}>{t(`alert.${one.what}`)}</a></p><Said text={one.said} /></li>
    ))}</ul>
  )
}
