#pragma once

#include "posthorn/base/content.h"
#include "posthorn/base/json.h"

/// What kinds say to a reader, and how they are stored, where content.cpp would be too long for it.
/// readable: nullptr: nothing that a person reads as text. store: gives the kind's number.
namespace posthorn::stored {

/// Stored: do not renumber.
inline constexpr int kLocation = 6;
inline constexpr int kContacts = 7;
inline constexpr int kPoll = 8;
inline constexpr int kGroupInvite = 9;
inline constexpr int kTimer = 10;

/// "" when it is absent or no text.
[[nodiscard]] std::string text_at(const json::Value& in, const char* name);

// content_places.cpp
[[nodiscard]] const std::string* readable(const content::Location& kind);
[[nodiscard]] const std::string* readable(const content::Contacts& kind);
int store(const content::Location& kind, json::Value& out);
int store(const content::Contacts& kind, json::Value& out);
[[nodiscard]] Content::What restore_location(const json::Value& in);
[[nodiscard]] Content::What restore_contacts(const json::Value& in);

// content_questions.cpp
[[nodiscard]] const std::string* readable(const content::Poll& kind);
[[nodiscard]] const std::string* readable(const content::PollVote& kind);
[[nodiscard]] const std::string* readable(const content::Buttons& kind);
[[nodiscard]] const std::string* readable(const content::Choice& kind);
int store(const content::Poll& kind, json::Value& out);
int store(const content::PollVote& kind, json::Value& out);
int store(const content::Buttons& kind, json::Value& out);
int store(const content::Choice& kind, json::Value& out);
[[nodiscard]] Content::What restore_poll(const json::Value& in);

// content_chat.cpp
[[nodiscard]] const std::string* readable(const content::GroupInvite& kind);
[[nodiscard]] const std::string* readable(const content::Order& kind);
[[nodiscard]] const std::string* readable(const content::Product& kind);
[[nodiscard]] const std::string* readable(const content::Event& kind);
[[nodiscard]] const std::string* readable(const content::Pin& kind);
[[nodiscard]] const std::string* readable(const content::Timer& kind);
[[nodiscard]] const std::string* readable(const content::Album& kind);
int store(const content::GroupInvite& kind, json::Value& out);
int store(const content::Order& kind, json::Value& out);
int store(const content::Product& kind, json::Value& out);
int store(const content::Event& kind, json::Value& out);
int store(const content::Pin& kind, json::Value& out);
int store(const content::Timer& kind, json::Value& out);
int store(const content::Album& kind, json::Value& out);
[[nodiscard]] Content::What restore_group_invite(const json::Value& in);
[[nodiscard]] Content::What restore_timer(const json::Value& in);

}  // namespace posthorn::stored
