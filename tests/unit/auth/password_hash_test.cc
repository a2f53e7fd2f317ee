#include "auth/password_hash.h"

#include <gtest/gtest.h>

#include <array>

namespace postern::auth {
namespace {

// Every hash here is of "hunter2".
const std::string sha512 =
    "$6$abcdefgh$M/"
    "eYsB4rVXAm3ZNc88J.UD9rCKAT6FB1rahiwJCHtEndQNORCub5qhjxn50qbqVVthkM.9HpEwtf0t.iV9uH0/";

TEST(ConstantTime, EqualMeansEveryByte) {
  EXPECT_TRUE(equal_in_constant_time("secret", "secret"));
  EXPECT_FALSE(equal_in_constant_time("secret", "secreT"));
  EXPECT_FALSE(equal_in_constant_time("secret", "secre"));
  EXPECT_FALSE(equal_in_constant_time("secret", "secretsecret"));
  EXPECT_FALSE(equal_in_constant_time("secret", ""));
  EXPECT_FALSE(equal_in_constant_time("", ""));
  EXPECT_FALSE(equal_in_constant_time("", "x"));
}

class EveryMethod : public testing::TestWithParam<std::string> {};

TEST_P(EveryMethod, TakesTheRightPasswordAndNoOther) {
  const std::string hash = GetParam();
  const auto right = is_right_password("hunter2", hash, "");
  ASSERT_TRUE(right);
  EXPECT_TRUE(*right) << hash;
  const auto wrong = is_right_password("hunter3", hash, "");
  ASSERT_TRUE(wrong);
  EXPECT_FALSE(*wrong) << hash;
}

TEST_P(EveryMethod, IsKnownWholeAndUnknownCutShort) {
  const std::string hash = GetParam();
  HashChecker checker;
  EXPECT_TRUE(checker.is_known(hash)) << hash;
  EXPECT_FALSE(checker.is_known(hash.substr(0, hash.size() - 1))) << hash;
  EXPECT_FALSE(checker.is_known(hash + "x")) << hash;
}

INSTANTIATE_TEST_SUITE_P(
    Hashes, EveryMethod,
    testing::ValuesIn(std::to_array<std::string>(
        {"$y$j9T$IVJrgj.nY6SqyeFWDnxIk.$vu/Wi9aRJAy.XYf94L2qjOtvVyjmE1IQbmu8zCELMl7",
         "$6$abcdefgh$M/"
         "eYsB4rVXAm3ZNc88J.UD9rCKAT6FB1rahiwJCHtEndQNORCub5qhjxn50qbqVVthkM.9HpEwtf0t.iV9uH0/",
         "$6$rounds=1000$abcdefgh$t5NmrWOyohJ8f73CiI."
         "ipwnmEO82Ymv802ja2TZrmBnj00Hvr2YrP2TDI7aBzNhjsP40J3Yd13Z66StlJAayI1",
         "$5$abcdefgh$XEPmEiAJvPG31m/DaIsyckkv.Sxd.8NrmElXxCKFQr/",
         "$1$abcdefgh$vhxKZ/s1ygZHyCEDPyqtQ/",
         "$2b$05$abcdefghijklmnopqrstuuoXuKqgZXLiJqzfmMXDDhSFPIvxV7t8.", "ab0ozUNIgzCZ.",
         "_J9..abcdOjmaRjQTE02",
         "$7$CU..../....abcdefgh$g2zfZMM6gmsUWDn6gECAUVqrmH1vBgZEoNScK0/Y.y7",
         "$sha1$1000$abcdefgh$G1P7Qf4i0tMlivS.nyYq6gUgZ.ZF",
         "$md5,rounds=904$abcdefgh$$GdV0GDm4q3VD3ZDTJyPh..",
         "$gy$j9T$IVJrgj.nY6SqyeFWDnxIk.$2Q3z2p9OgwDsakVu.pxdK6yBiZgorLN2VGwNxM2O.AB"})));

TEST(RightPassword, IsNeverOneForNobody) {
  const auto decoyed = is_right_password("hunter2", std::nullopt, sha512);
  ASSERT_TRUE(decoyed);
  EXPECT_FALSE(*decoyed);
  const auto without = is_right_password("hunter2", std::nullopt, "");
  ASSERT_TRUE(without);
  EXPECT_FALSE(*without);
}

TEST(RightPassword, IsNeverOneForAHashNobodyKnows) {
  for (const auto* hash : {"!", "*", "$9$salt$hash", "x"}) {
    const auto right = is_right_password("hunter2", hash, sha512);
    ASSERT_TRUE(right) << hash;
    EXPECT_FALSE(*right) << hash;
  }
}

TEST(RightPassword, CannotBeToldFromADamagedHash) {
  for (const auto* hash : {"$y$", "$2b$05$x", "$6$rounds=x$salt$"}) {
    EXPECT_FALSE(is_right_password("hunter2", hash, sha512)) << hash;
  }
}

TEST(HashChecker, TellsAPasswordFromAHash) {
  HashChecker checker;
  for (const auto* text : {"hunter2", "$6$", "$6$salt", "$9$salt$hash", "*", "!", ""}) {
    EXPECT_FALSE(checker.is_known(text)) << text;
  }
}

TEST(Decoy, HasTheMethodThatMostHashesHave) {
  const std::vector<std::string> hashes = {"$1$a$1", "$6$b$2", "$6$c$3", "traditional"};
  EXPECT_EQ(choose_decoy(hashes), "$6$b$2");
  EXPECT_EQ(choose_decoy({}), "");
}

TEST(Method, IsWhatAHashBeginsWith) {
  EXPECT_EQ(method_of("$6$salt$hash"), "$6$");
  EXPECT_EQ(method_of("$2b$10$saltandhash"), "$2b$");
  EXPECT_EQ(method_of("_J9..salthash"), "_");
  EXPECT_EQ(method_of("ab0123456789a"), "");
  EXPECT_EQ(method_of("$odd"), "$odd");
}

}  // namespace
}  // namespace postern::auth
