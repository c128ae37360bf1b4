// Texts that have broken messengers before.
export const texts = {
  latin: 'Quittung 4711: 12,50 € – vielen Dank für Ihren Einkauf!',
  cyrillic: 'Чек № 4711: 1 250,00 ₽. Спасибо за покупку!',
  arabic: 'إيصال رقم ٤٧١١ – شكرًا لتسوقكم معنا',
  emoji: '🧾👨‍👩‍👧‍👦🇧🇷👍🏽 total ✅',
  lines: 'one\ntwo\r\n\tthree  ',
  long: 'Ж😀a'.repeat(5000).slice(0, 20_000)
}
