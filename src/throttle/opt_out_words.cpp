#include "throttle/opt_out_words.h"

#include <algorithm>
#include <array>
#include <string>

#include "throttle/texts.h"

namespace posthorn::throttle {
namespace {

constexpr std::string_view kEnglish =
    "You will not get any more messages from us. Write START if you change your mind.";
constexpr std::string_view kRussian =
    "Вы больше не будете получать от нас сообщений. Напишите СТАРТ, если передумаете.";
constexpr std::string_view kSpanish =
    "No recibirá más mensajes nuestros. Escriba ALTA si cambia de opinión.";
constexpr std::string_view kPortuguese =
    "Não enviaremos mais mensagens. Escreva INICIAR se mudar de ideia.";
constexpr std::string_view kFrench =
    "Vous ne recevrez plus de messages de notre part. Écrivez DÉBUT si vous changez d'avis.";
constexpr std::string_view kGerman =
    "Sie erhalten keine Nachrichten mehr von uns. Schreiben Sie START, wenn Sie es sich anders "
    "überlegen.";
constexpr std::string_view kScandinavian =
    "Du får ikke flere meldinger fra oss. Skriv START hvis du ombestemmer deg.";
constexpr std::string_view kTurkish =
    "Size artık mesaj göndermeyeceğiz. Fikrinizi değiştirirseniz BAŞLAT yazın.";
constexpr std::string_view kIndonesian =
    "Anda tidak akan menerima pesan lagi dari kami. Tulis MULAI jika berubah pikiran.";
constexpr std::string_view kItalian =
    "Non riceverà altri messaggi da noi. Scriva INIZIA se cambia idea.";
constexpr std::string_view kArabic = "لن نرسل إليك رسائل بعد الآن. اكتب ابدأ إذا غيرت رأيك.";
constexpr std::string_view kChinese = "我们不会再给您发送消息。如需恢复，请回复“开始”。";

// Policy section 7 names the words that must be here.
constexpr std::array kStopWords{
    StopWord{"stop", kEnglish},          StopWord{"unsubscribe", kEnglish},
    StopWord{"opt out", kEnglish},       StopWord{"стоп", kRussian},
    StopWord{"отписаться", kRussian},    StopWord{"отпишите", kRussian},
    StopWord{"отписка", kRussian},       StopWord{"baja", kSpanish},
    StopWord{"darse de baja", kSpanish}, StopWord{"parar", kPortuguese},
    StopWord{"sair", kPortuguese},       StopWord{"cancelar", kPortuguese},
    StopWord{"arrêt", kFrench},          StopWord{"arret", kFrench},
    StopWord{"arrêter", kFrench},        StopWord{"stopp", kGerman},
    StopWord{"abmelden", kGerman},       StopWord{"stans", kScandinavian},
    StopWord{"iptal", kTurkish},         StopWord{"berhenti", kIndonesian},
    StopWord{"basta", kItalian},         StopWord{"إيقاف", kArabic},
    StopWord{"停止", kChinese},
};

constexpr std::array<std::string_view, 19> kStartWords{
    "start",   "unstop", "subscribe", "старт",     "подписаться", "alta",   "iniciar",
    "começar", "voltar", "début",     "debut",     "anmelden",    "başlat", "mulai",
    "inizia",  "ابدأ",   "开始",      "commencer", "baslat",
};

/// "STOP!", " Stop. " and "«стоп»" mean the same word.
std::string bare_word(std::string_view text) {
  std::string word = normalize_text(text);
  const auto drop = [](std::string& s, bool front) {
    constexpr std::array<std::string_view, 13> kMarks{".",  "!", "?", ",", "\"", "'", "。",
                                                      "！", "«", "»", "“", "”",  "*"};
    for (const std::string_view mark : kMarks) {
      if (s.size() <= mark.size()) continue;
      if (front && s.starts_with(mark)) return s.erase(0, mark.size()), true;
      if (!front && s.ends_with(mark)) return s.erase(s.size() - mark.size()), true;
    }
    return false;
  };
  while (drop(word, true)) {
  }
  while (drop(word, false)) {
  }
  return word;
}

}  // namespace

std::span<const StopWord> stop_words() { return kStopWords; }
std::span<const std::string_view> start_words() { return kStartWords; }

Request parse_request(std::string_view text) {
  if (text.size() > 64) return {};
  const std::string word = bare_word(text);
  for (const StopWord& stop : kStopWords) {
    if (stop.word == word) return {Wish::stop, stop.confirmation};
  }
  const bool start = std::find(kStartWords.begin(), kStartWords.end(), word) != kStartWords.end();
  return {start ? Wish::start : Wish::none, {}};
}

bool is_confirmation(std::string_view text) {
  return std::any_of(kStopWords.begin(), kStopWords.end(),
                     [text](const StopWord& stop) { return stop.confirmation == text; });
}

}  // namespace posthorn::throttle
