// SPDX-License-Identifier: LGPL-2.1-or-later
// Sessions of msgr2 through the built provider, between two trusted nodes.
#include <gtest/gtest.h>

#include <algorithm>

#include "provider/test_openssl.h"

namespace ssn::provider {
namespace {

using qkdn::client::Count;
using qkdn::client::FakeProxy;
namespace north = qkdn::north;
using Program = FakeProxy::Program;

// Two nodes whose proxies hold the same pad.
class SessionTest : public testing::Test {
 protected:
  static constexpr std::uint64_t kPad = 512 << 10;

  FakeProxy pad_a{{.name = "a", .node = 1, .receive_bytes = kPad}};
  FakeProxy pad_b{{.name = "b", .node = 2, .receive_bytes = kPad}};
  TestOpenssl a{pad_a.path()}, b{pad_b.path()};
  TestOpenssl plain{""};

  void TearDown() override {
    EXPECT_EQ(0u, pad_a.not_wiped());
    EXPECT_EQ(0u, pad_b.not_wiped());
  }
  // The stream that the newest program transmits.
  static north::Open Transmitted(FakeProxy& proxy) {
    north::Open open;
    EXPECT_TRUE(proxy.WaitUntil([&](const Program& program) {
      for (const auto& message : program.received)
        if (const auto* each = std::get_if<north::Open>(&message))
          if (each->direction == PadDirection::kTransmit) open = *each;
      return open.peer != 0;
    }));
    return open;
  }
};

Bytes Xor(const Bytes& left, const Bytes& right) {
  Bytes out(left.size());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint8_t>(left[i] ^ right[i]);
  return out;
}

TEST_F(SessionTest, TheProviderIsTheOneThatServes) {
  EXPECT_EQ("ssnotp", a.provider_name());
  EXPECT_EQ("default", plain.provider_name());
}

TEST_F(SessionTest, BetweenTwoNodesRecordsAreUnderPad) {
  CephSession session(a, b);
  ASSERT_TRUE(session.Greet());
  std::uint64_t offset = 0;
  for (int frame = 0; frame < 3; ++frame)
    for (const Bytes& plaintext : FrameRecords({41, 100, 0, 5000})) {
      const Record record = session.a_tx.Seal(plaintext);
      offset += offset == 0 ? 32 : 16;
      const north::Open open = Transmitted(pad_a);
      EXPECT_EQ(2u, open.peer);
      Bytes pad(plaintext.size());
      for (std::uint8_t& byte : pad) byte = FakeProxy::PadByte(open.stream, offset++);
      EXPECT_EQ(pad, Xor(plaintext, record.ciphertext));
      EXPECT_EQ(plaintext, session.b_rx.Open(record));
    }
  EXPECT_TRUE(session.Talk());
}

TEST_F(SessionTest, BuffersMayBeCutAnywhere) {
  CephSession session(a, b);
  ASSERT_TRUE(session.Greet());
  for (const auto& pieces : std::vector<std::vector<std::size_t>>{{1}, {31, 1}, {32, 16}, {79}, {40, 1, 1}}) {
    const Bytes plaintext = FrameRecords({32})[0];
    EXPECT_EQ(plaintext, session.b_rx.Open(session.a_tx.Seal(plaintext, pieces)));
    EXPECT_EQ(plaintext, session.a_rx.Open(session.b_tx.Seal(plaintext), pieces));
  }
  const std::vector<Bytes> frame = FrameRecords({60, 100, 0, 200000});
  EXPECT_EQ(frame[0], session.b_rx.Open(session.a_tx.Seal(frame[0])));
  EXPECT_EQ(frame[1], session.b_rx.Open(session.a_tx.Seal(frame[1], {3, 5, 0, 1}), {10}));
  EXPECT_EQ(frame[2], session.b_rx.Open(session.a_tx.Seal(frame[2], {1, 4095, 4097, 65536}), {100000, 3}));
}

TEST_F(SessionTest, PadOfAWholeFrameIsAskedForBeforeItsFirstByte) {
  CephSession session(a, b);
  ASSERT_TRUE(session.Greet());
  const std::vector<Bytes> frame = FrameRecords({60, 100, 0, 300000});
  session.a_tx.Seal(frame[0]);
  EXPECT_EQ(80u + frame[1].size() + frame[2].size() + 32 + 2 * 16, Transmitted(pad_a).need);
}

TEST_F(SessionTest, RecordZeroCarriesTheNodeAndIsNotPlainGcm) {
  CephSession session(a, b);
  const Bytes signature = FrameRecords({32})[0];
  const Record sealed = session.a_tx.Seal(signature);
  EXPECT_TRUE(std::equal(sealed.tag.begin() + 12, sealed.tag.end(), std::array{1, 0, 0, 0}.begin()));
  CephHalf true_gcm(plain, true, session.key, session.from_a);
  const Record expected = true_gcm.Seal(signature);
  EXPECT_EQ(expected.ciphertext, sealed.ciphertext);
  EXPECT_NE(expected.tag, sealed.tag);
  for (std::size_t bit = 0; bit < 128; ++bit) {
    CephHalf receiver(b, false, session.key, session.from_a);
    Record bad = sealed;
    bad.tag[bit / 8] = static_cast<std::uint8_t>(bad.tag[bit / 8] ^ 1 << bit % 8);
    EXPECT_FALSE(receiver.Open(bad).has_value()) << "bit " << bit;
  }
  EXPECT_EQ(signature, session.b_rx.Open(sealed));
}

TEST_F(SessionTest, ADaemonWithoutTheProviderCannotTalkToOneWithIt) {
  const Bytes signature = FrameRecords({32})[0];
  CephSession session(a, plain);
  EXPECT_FALSE(session.b_rx.Open(session.a_tx.Seal(signature)).has_value());
  EXPECT_FALSE(session.a_rx.Open(session.b_tx.Seal(signature)).has_value());
  // Nor does anything readable follow.
  const Record after = session.a_tx.Seal(FrameRecords({32})[0]);
  EXPECT_EQ(Bytes(80), after.ciphertext);
  EXPECT_FALSE(session.b_rx.Open(after).has_value());
}

TEST_F(SessionTest, WithinANodeRecordsAreUnderAes) {
  TestOpenssl other(pad_a.path());
  CephSession session(a, other);
  ASSERT_TRUE(session.Greet());
  ASSERT_TRUE(session.Talk());
  EXPECT_TRUE(pad_a.WaitUntil([](const Program& program) { return Count<north::Open>(program) == 0; }));
}

TEST_F(SessionTest, BothEndsInOneProcessAreUnderAesToo) {
  CephSession session(a, a);
  ASSERT_TRUE(session.Greet());
  EXPECT_TRUE(session.Talk());
}

TEST_F(SessionTest, WithinANodeWhatIsSentIsTheTrueGcm) {
  CephSession session(a, a);
  ASSERT_TRUE(session.Greet());
  Iv second = session.from_a;
  for (std::size_t i = 4; ++second[i] == 0; ++i) {
  }
  CephHalf true_gcm(plain, false, session.key, second);
  const Bytes plaintext = FrameRecords({32})[0];
  EXPECT_EQ(plaintext, true_gcm.Open(session.a_tx.Seal(plaintext)));
}

// A copied disk gives two hosts one number; they have a proxy each.
TEST_F(SessionTest, AnotherHostWithOurNumberIsNotTakenForThisNode) {
  FakeProxy clone({.name = "clone", .node = 1, .receive_bytes = kPad});
  TestOpenssl on_clone(clone.path());
  CephSession session(a, on_clone);
  const Bytes signature = FrameRecords({32})[0];
  EXPECT_FALSE(session.b_rx.Open(session.a_tx.Seal(signature)).has_value());
  EXPECT_FALSE(session.a_rx.Open(session.b_tx.Seal(signature)).has_value());
  EXPECT_EQ(Bytes(80), session.a_tx.Seal(signature).ciphertext);
}

TEST_F(SessionTest, TheFirstRecordThatIsNotTheNextOneEndsTheDirection) {
  const auto after = [&](std::uint8_t number, auto attack) {
    CephSession session(a, b, number);
    ASSERT_TRUE(session.Greet());
    ASSERT_TRUE(session.Talk({32}));
    const Bytes plaintext = FrameRecords({32})[0];
    const Record one = session.a_tx.Seal(plaintext), two = session.a_tx.Seal(plaintext);
    attack(session, one, two);
    const Record three = session.a_tx.Seal(plaintext);
    EXPECT_FALSE(session.b_rx.Open(three).has_value()) << "it went on";
  };
  {
    SCOPED_TRACE("tampered");
    for (std::uint8_t bit = 0; bit < 96; bit = static_cast<std::uint8_t>(bit + 7))
      after(static_cast<std::uint8_t>(10 + bit), [&](CephSession& session, Record one, const Record&) {
        if (bit < 80)
          one.ciphertext[bit] ^= 1;
        else
          one.tag[bit - 80u] ^= 1;
        EXPECT_FALSE(session.b_rx.Open(one).has_value());
      });
  }
  {
    SCOPED_TRACE("dropped");
    after(2, [](CephSession& session, const Record&, const Record& two) {
      EXPECT_FALSE(session.b_rx.Open(two).has_value());
    });
  }
  {
    SCOPED_TRACE("replayed");
    after(3, [](CephSession& session, const Record& one, const Record&) {
      EXPECT_TRUE(session.b_rx.Open(one).has_value());
      EXPECT_FALSE(session.b_rx.Open(one).has_value());
    });
  }
  {
    SCOPED_TRACE("reflected");
    after(4, [](CephSession& session, const Record& one, const Record&) {
      EXPECT_FALSE(session.a_rx.Open(one).has_value());
      EXPECT_FALSE(session.b_rx.Open({Bytes(80), Tag{}}).has_value());
    });
  }
  {
    SCOPED_TRACE("cut and lengthened");
    after(5, [](CephSession& session, Record one, const Record&) {
      one.ciphertext.resize(64);
      EXPECT_FALSE(session.b_rx.Open(one).has_value());
    });
    after(6, [](CephSession& session, Record one, const Record&) {
      one.ciphertext.resize(96);
      EXPECT_FALSE(session.b_rx.Open(one).has_value());
    });
  }
}

TEST_F(SessionTest, ARecordOfAnotherSessionIsRejected) {
  CephSession one(a, b, 1), two(a, b, 2);
  ASSERT_TRUE(one.Greet());
  ASSERT_TRUE(two.Greet());
  const Bytes plaintext = FrameRecords({32})[0];
  EXPECT_FALSE(two.b_rx.Open(one.a_tx.Seal(plaintext)).has_value());
}

TEST_F(SessionTest, ManySessionsOneAfterTheOther) {
  for (int i = 0; i < 250; ++i) {
    CephSession session(a, b, static_cast<std::uint8_t>(i));
    ASSERT_TRUE(session.Greet()) << i;
    ASSERT_TRUE(session.Talk()) << i;
  }
  EXPECT_TRUE(pad_b.WaitUntil([](const Program& program) {
    return Count<north::Open>(program) == 500 && Count<north::Close>(program) == 500 &&
           Count<north::Attach>(program) == 250 && Count<north::Detach>(program) == 250;
  }));
}

}  // namespace
}  // namespace ssn::provider
