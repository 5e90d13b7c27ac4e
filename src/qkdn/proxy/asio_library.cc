// SPDX-License-Identifier: LGPL-2.1-or-later
// The one unit in which the functions of asio are compiled: everywhere else they are only declared.
#include <asio/impl/src.hpp>
#include <asio/ssl/impl/src.hpp>
