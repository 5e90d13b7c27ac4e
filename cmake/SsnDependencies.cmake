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
