# How a folder of src/ becomes one static library plus its programs, and tests/unit/<folder> one
# test program. The LINKS of a folder are exactly the folders its files may include:
# scripts/check-includes reads them here.
find_program(CCACHE ccache)
if(CCACHE)
  # Another checkout finds what this one has compiled. Precompiled headers need the sloppiness.
  set(CMAKE_CXX_COMPILER_LAUNCHER env "CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}" CCACHE_NOHASHDIR=1
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime "${CCACHE}")
endif()

set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(CMAKE_CXX_EXTENSIONS OFF)

add_library(postern_options INTERFACE)
target_compile_features(postern_options INTERFACE cxx_std_23)
target_compile_definitions(postern_options INTERFACE
  _GNU_SOURCE _FILE_OFFSET_BITS=64
  POSTERN_HOME="${QMAIL_HOME}" POSTERN_SPLIT=${QMAIL_SPLIT} POSTERN_SPAWN_LIMIT=${QMAIL_SPAWN})
target_compile_options(postern_options INTERFACE
  "SHELL:-iquote ${CMAKE_SOURCE_DIR}/src"
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
  -Woverloaded-virtual -Wcast-qual -Wformat=2 -Wundef -Wvla -Wimplicit-fallthrough
  -fno-rtti -fstack-protector-strong -fstack-clash-protection)
if(POSTERN_SANITIZE)
  target_compile_options(postern_options INTERFACE
    -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -D_GLIBCXX_ASSERTIONS
    --coverage -fprofile-update=atomic)
  target_link_options(postern_options INTERFACE -fsanitize=address,undefined --coverage)
elseif(POSTERN_FUZZ)
  # Half optimised: what a fuzzer finds grows with how often it can try, and each build is paid for.
  target_compile_options(postern_options INTERFACE
    -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
    -O1 -g1 -D_GLIBCXX_ASSERTIONS -Wno-deprecated-declarations)  # of libstdc++ 12, within itself
  target_link_options(postern_options INTERFACE -fsanitize=address,undefined)
else()
  # Small code, not -O2: of a program's own code there is half as much to fault in and to keep resident.
  # No kind of work became measurably slower; docs/PERFORMANCE.md has the figures.
  target_compile_options(postern_options INTERFACE
    $<$<CONFIG:RelWithDebInfo>:-Os -D_FORTIFY_SOURCE=2 -D_GLIBCXX_ASSERTIONS>)
  target_link_options(postern_options INTERFACE -Wl,-z,relro,-z,now,--gc-sections)
  target_compile_options(postern_options INTERFACE -ffunction-sections -fdata-sections)
endif()

# postern_folder(<name> [LINKS folders…] [LIBRARIES external…] [PROGRAMS names…] [STATIC names…])
# Every .cc of the folder that is not a program's main file is part of the library.
function(postern_folder name)
  cmake_parse_arguments(F "" "" "LINKS;LIBRARIES;PROGRAMS;STATIC" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "*.cc")
  foreach(program ${F_PROGRAMS} ${F_STATIC})
    list(REMOVE_ITEM sources "${CMAKE_CURRENT_SOURCE_DIR}/${program}.cc")
  endforeach()
  list(TRANSFORM F_LINKS PREPEND "postern_")
  if(sources)
    add_library(postern_${name} STATIC ${sources})
    target_link_libraries(postern_${name} PUBLIC postern_options ${F_LINKS} ${F_LIBRARIES})
  else()
    add_library(postern_${name} INTERFACE)
    target_link_libraries(postern_${name} INTERFACE postern_options ${F_LINKS} ${F_LIBRARIES})
  endif()
  foreach(program ${F_PROGRAMS} ${F_STATIC})
    add_executable(${program} "${program}.cc")
    target_link_libraries(${program} PRIVATE postern_${name})
    if(program IN_LIST F_STATIC AND NOT POSTERN_SANITIZE AND NOT POSTERN_FUZZ)
      target_link_options(${program} PRIVATE -static "-Wl,-T,${CMAKE_SOURCE_DIR}/cmake/layout.ld")
      set_target_properties(${program} PROPERTIES LINK_DEPENDS "${CMAKE_SOURCE_DIR}/cmake/layout.ld")
    else()
      set_target_properties(${program} PROPERTIES POSITION_INDEPENDENT_CODE ON)
      target_link_options(${program} PRIVATE -pie)
    endif()
  endforeach()
endfunction()
