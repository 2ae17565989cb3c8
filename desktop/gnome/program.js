/** Return the path of ullage, null where it is not installed: as preferred, as it was set up from, or where it may be. */
function findProgram(settings, metadata) {
    const places = [
        settings.get_string('program'),
        metadata['ullage-program'] || '',
        GLib.find_program_in_path('ullage') || '',
        GLib.build_filenamev([GLib.get_home_dir(), '.local', 'bin', 'ullage']),
    ];
    return places.find(path => path && GLib.file_test(path, GLib.FileTest.IS_EXECUTABLE)) || null;
}
