# What we build with. A missing piece names the Debian package that holds it.

# ssn_need(<variable> <package>) ends the configuration when <variable> was not found.
function(ssn_need variable package)
  if(NOT ${variable})
    message(FATAL_ERROR "${variable} was not found: apt-get install ${package}")
  endif()
endfunction()

find_path(ISAL_INCLUDE_DIR isa-l/erasure_code.h)
ssn_need(ISAL_INCLUDE_DIR libisal-dev)
find_library(ISAL_LIBRARY isal)
ssn_need(ISAL_LIBRARY libisal-dev)
add_library(isal::isal UNKNOWN IMPORTED)
set_target_properties(isal::isal PROPERTIES IMPORTED_LOCATION ${ISAL_LIBRARY}
  INTERFACE_INCLUDE_DIRECTORIES ${ISAL_INCLUDE_DIR})

find_package(OpenSSL 3.0 QUIET)
ssn_need(OPENSSL_FOUND libssl-dev)
find_package(fmt QUIET)
ssn_need(fmt_FOUND libfmt-dev)
find_package(CURL QUIET)
ssn_need(CURL_FOUND libcurl4-openssl-dev)
find_package(simdjson QUIET)
ssn_need(simdjson_FOUND libsimdjson-dev)
find_package(spdlog QUIET)
ssn_need(spdlog_FOUND libspdlog-dev)
find_package(tomlplusplus QUIET)
ssn_need(tomlplusplus_FOUND libtomlplusplus-dev)
find_package(Threads REQUIRED)

# ssn_header_library(<target> <header> <package>) is a library that consists of headers.
function(ssn_header_library target header package)
  string(MAKE_C_IDENTIFIER ${target}_include_dir variable)
  find_path(${variable} ${header})
  ssn_need(${variable} ${package})
  add_library(${target} INTERFACE IMPORTED GLOBAL)
  target_include_directories(${target} INTERFACE ${${variable}})
endfunction()
ssn_header_library(asio::asio asio.hpp libasio-dev)
target_compile_definitions(asio::asio INTERFACE ASIO_STANDALONE)
ssn_header_library(CLI11::CLI11 CLI/CLI.hpp libcli11-dev)
ssn_header_library(nlohmann_json::nlohmann_json nlohmann/json.hpp nlohmann-json3-dev)
# The definitions are those the library in the package was built with.
ssn_header_library(httplib::httplib httplib.h libcpp-httplib-dev)
find_library(HTTPLIB_LIBRARY cpp-httplib)
ssn_need(HTTPLIB_LIBRARY libcpp-httplib-dev)
target_link_libraries(httplib::httplib INTERFACE ${HTTPLIB_LIBRARY})
target_compile_definitions(httplib::httplib INTERFACE
  CPPHTTPLIB_OPENSSL_SUPPORT CPPHTTPLIB_ZLIB_SUPPORT CPPHTTPLIB_BROTLI_SUPPORT)

if(SSN_BUILD_TESTS)
  find_package(GTest QUIET)
  ssn_need(GTest_FOUND libgtest-dev)
  include(GoogleTest)
  find_path(GFSHARE_INCLUDE_DIR libgfshare.h)
  ssn_need(GFSHARE_INCLUDE_DIR libgfshare-dev)
  find_library(GFSHARE_LIBRARY gfshare)
  ssn_need(GFSHARE_LIBRARY libgfshare-dev)
endif()

include(CephVersion)
