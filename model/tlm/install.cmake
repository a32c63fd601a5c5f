# What other projects get: find_package(Diastole) and the target Diastole::tlm_memory, with the
# libraries and headers behind it. docs/tlm.md says how to use it.
include(CMakePackageConfigHelpers)

set(package_folder lib/cmake/Diastole)
set_target_properties(diastole_tlm PROPERTIES EXPORT_NAME tlm_memory)
foreach(folder options base config params timing)
  set_target_properties(diastole_${folder} PROPERTIES EXPORT_NAME ${folder})
endforeach()
install(TARGETS diastole_tlm diastole_timing diastole_params diastole_config diastole_base
                diastole_options
        EXPORT DiastoleTargets ARCHIVE DESTINATION lib)
install(EXPORT DiastoleTargets NAMESPACE Diastole:: DESTINATION ${package_folder})

foreach(folder base config params timing tlm)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/model/${folder} DESTINATION include/diastole/model
          FILES_MATCHING PATTERN "*.hpp" PATTERN presets EXCLUDE PATTERN memory EXCLUDE)
endforeach()

set(data_folder share/diastole)
configure_package_config_file(
  ${CMAKE_CURRENT_LIST_DIR}/DiastoleConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/DiastoleConfig.cmake
  INSTALL_DESTINATION ${package_folder} PATH_VARS data_folder)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/DiastoleConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/DiastoleConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/DiastoleConfigVersion.cmake
              ${CMAKE_CURRENT_LIST_DIR}/data_root.cpp.in
        DESTINATION ${package_folder})
