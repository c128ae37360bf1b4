#include "throttle/recent_posts.h"

#include <algorithm>

#include "posthorn/base/crypto.h"

namespace posthorn::throttle {
namespace {

/// What makes two posts the same. Each kind by its stored form; texts, which are nearly all,
/// without the detour.
std::string same_of(const Content& content) {
  if (const auto* text = std::get_if<content::Text>(&content.what)) {
    return (content.quote ? content.quote->id : "") + '\0' + text->body;
  }
  Job bare;
  bare.content = content;
  return std::string(as_text(encode_job(bare)));
}

std::uint64_t content_hash(const Job& job) {
  const crypto::Sha256 digest = crypto::sha256(as_bytes(same_of(job.content)));
  std::uint64_t hash = 0;
  for (std::size_t i = 0; i < 8; ++i) hash = (hash << 8) | static_cast<std::uint64_t>(digest[i]);
  return hash == 0 ? 1 : hash;
}

}  // namespace

std::optional<std::string> RecentPosts::find_or_add(const Job& job, const ChatKey& chat,
                                                    Tick within, Tick now) {
  const std::uint64_t content = content_hash(job);
  if (within > 0) {
    for (const Post& post : posts_) {
      if (post.content == content && post.chat == chat && now - post.at < within)
        return std::string(post.id.data(), post.id_length);
    }
  }
  if (job.id.size() > posts_[0].id.size()) return std::nullopt;
  Post& post = posts_[next_];
  next_ = (next_ + 1) % posts_.size();
  post.content = content;
  post.chat = chat;
  post.at = now;
  post.sequence = 0;
  post.id_length = static_cast<std::uint8_t>(job.id.size());
  std::copy(job.id.begin(), job.id.end(), post.id.begin());
  return std::nullopt;
}

void RecentPosts::join(const ChatKey& from, const ChatKey& into) {
  for (Post& post : posts_) {
    if (post.chat == from) post.chat = into;
  }
}

void RecentPosts::note_sequence(const std::string& id, std::uint64_t sequence) {
  for (Post& post : posts_) {
    if (post.content != 0 && std::string_view(post.id.data(), post.id_length) == id)
      post.sequence = sequence;
  }
}

void RecentPosts::forget(const std::string& id) {
  for (Post& post : posts_) {
    if (std::string_view(post.id.data(), post.id_length) == id) post = Post{};
  }
}

void RecentPosts::on_spoken(const ChatKey& chat) {
  for (Post& post : posts_) {
    if (post.content != 0 && post.chat == chat) post = Post{};
  }
}

void RecentPosts::forget(std::uint64_t sequence) {
  for (Post& post : posts_) {
    if (post.content != 0 && post.sequence == sequence) post = Post{};
  }
}

}  // namespace posthorn::throttle
