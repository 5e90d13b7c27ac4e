// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/sim/schedule.h"

#include <gtest/gtest.h>

#include <cmath>

namespace ssn::qkdn::sim {
namespace {

TEST(Schedule, WithoutWindowsALinkIsAlwaysUp) {
  const Schedule schedule;
  EXPECT_TRUE(schedule.Up(0));
  EXPECT_FALSE(schedule.Noisy(5));
  EXPECT_DOUBLE_EQ(7, schedule.Measure(3, 10).good);
}

TEST(Schedule, AWindowBeginsAtItsStartAndIsOverAtItsEnd) {
  Schedule schedule;
  schedule.outages = {{10, 20}, {30, 31}};
  EXPECT_TRUE(schedule.Up(9.999));
  EXPECT_FALSE(schedule.Up(10));
  EXPECT_FALSE(schedule.Up(19.999));
  EXPECT_TRUE(schedule.Up(20));
  EXPECT_FALSE(schedule.Up(30.5));
  EXPECT_TRUE(schedule.Up(1010));
}

TEST(Schedule, MeasureLeavesOutagesOut) {
  Schedule schedule;
  schedule.outages = {{10, 20}};
  EXPECT_DOUBLE_EQ(10, schedule.Measure(5, 25).good);
  EXPECT_DOUBLE_EQ(0, schedule.Measure(12, 15).good);
  EXPECT_DOUBLE_EQ(0, schedule.Measure(15, 15).good);
  EXPECT_DOUBLE_EQ(0, schedule.Measure(15, 5).good);
}

TEST(Schedule, WindowsRepeatWithTheirPeriod) {
  Schedule schedule;
  schedule.outages = {{10, 20}};
  schedule.outage_period = 60;
  EXPECT_FALSE(schedule.Up(75));
  EXPECT_TRUE(schedule.Up(85));
  EXPECT_DOUBLE_EQ(600 - 100, schedule.Measure(0, 600).good);
  EXPECT_DOUBLE_EQ(5, schedule.Measure(75, 85).good);
}

TEST(Schedule, BurstsTakeTheirShareOfTheTimeAndNothingIsLost) {
  Schedule schedule;
  schedule.error_probability = 0.25;
  schedule.error_duration = 0.5;
  schedule.seed = 7;
  const Schedule::Spans spans = schedule.Measure(0.2, 10000.2);
  EXPECT_NEAR(10000, spans.good + spans.noisy, 1e-6);
  EXPECT_NEAR(2500, spans.noisy, 200);  // 20000 stretches: the standard deviation is 31 seconds
}

TEST(Schedule, MeasureAndNoisyAgreeAndTheSeedDecides) {
  Schedule schedule;
  schedule.error_probability = 0.5;
  Schedule other = schedule;
  other.seed = 1;
  int different = 0;
  for (int second = 0; second < 100; ++second) {
    const double from = second;
    EXPECT_EQ(schedule.Noisy(from + 0.5), schedule.Measure(from, from + 1).noisy > 0.5) << second;
    different += schedule.Noisy(from) != other.Noisy(from);
  }
  EXPECT_GT(different, 20);
}

TEST(Schedule, CertainErrorsLeaveNothing) {
  Schedule schedule;
  schedule.error_probability = 1;
  EXPECT_DOUBLE_EQ(0, schedule.Measure(0, 100).good);
}

}  // namespace
}  // namespace ssn::qkdn::sim
