#pragma once

#include <map>
#include <string>

#include "chat/lane/context.h"
#include "chat/people/block_list.h"
#include "chat/people/tokens.h"
#include "chat/people/usync_pause.h"
#include "posthorn/chat/contacts.h"
#include "posthorn/store/people_store.h"

namespace posthorn::chat {

/// Lists from the store, pictures and profiles from the server. Pictures are remembered for an
/// hour, since their addresses last for hours and asking for many is what scrapers do.
/// Source: chapter 09 sections 6, 7.
class Profiles final : public Contacts {
 public:
  /// All outlive this.
  Profiles(const MessageContext& context, store::PeopleStore& people, Tokens& tokens,
           const BlockList& blocked)
      : context_(context), people_(people), tokens_(tokens), blocked_(blocked) {}

  Result<void> each(const std::function<void(const ListedChat&)>& take) override;
  std::string contact_name(const std::string& chat) override;
  std::string chat_name(const std::string& chat) override;
  Result<void> each_chat(std::size_t most,
                         const std::function<void(const ListedChat&)>& take) override;
  void details(const std::string& chat, Once<void(Result<ChatDetails>)> done) override;
  void picture(const std::string& chat, Once<void(Result<Picture>)> done) override;
  void new_picture(const std::string& chat, Once<void(Result<Picture>)> done) override;
  void set_own_picture(Bytes jpeg, Once<void(Result<void>)> done) override;

  /// Somebody's picture is another one.
  void forget_picture(const wire::Jid& whose);
  void forget_all() { pictures_.clear(); }

 private:
  struct Known {
    Picture picture;
    Mono until;
  };
  Result<ChatDetails> stored(const std::string& chat);
  Result<std::string> contact_of(const std::string& chat);
  Result<std::string> name_of(const std::string& chat);
  void ask(wire::Node iq, Once<void(Result<wire::Node>)> done);
  /// A token beside a question about somebody; empty: none, or it is us.
  [[nodiscard]] Bytes token_for(const wire::Jid& whose);
  void add_business(const wire::Jid& whose, ChatDetails details,
                    Once<void(Result<ChatDetails>)> done);
  void add_about(const wire::Jid& whose, ChatDetails details, Once<void(Result<ChatDetails>)> done);

  const MessageContext& context_;
  store::PeopleStore& people_;
  Tokens& tokens_;
  const BlockList& blocked_;
  std::map<std::string, Known> pictures_;  ///< by JID, bounded
  UsyncPause pause_;
};

[[nodiscard]] wire::Node build_picture_query(const wire::Jid& whose, const Bytes& token);
/// The address, or why there is none: 401 is hidden, 404 and 204 are none.
[[nodiscard]] Result<Picture> parse_picture(const Result<wire::Node>& reply);
[[nodiscard]] wire::Node build_business_query(const wire::Jid& whose);
[[nodiscard]] std::optional<BusinessProfile> parse_business(const wire::Node& reply);

}  // namespace posthorn::chat
