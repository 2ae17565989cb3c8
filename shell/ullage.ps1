# The quota segment in PowerShell's prompt, for Windows PowerShell 5.1 and for PowerShell 7 on every system: in $PROFILE,
# after your own prompt (oh-my-posh and starship are one), `ullage setup pwsh` or
# Invoke-Expression (& ullage init pwsh | Out-String)
#
# --left (the default) puts the segment before your prompt; --manual leaves it alone, for a call of Get-UllageSegment in
# your own; --starship exports ULLAGE_SEGMENT for its env_var module instead. $env:ULLAGE_OFF = 1 hides it.
#
# A reader of the timeline file (src/ullage/quota/timeline.py has its format). A prompt starts no process. What runs at one
# is .NET's and the language's own, as functions and aliases of yours may have the names of commands.

if ($null -eq (Get-Variable -Name __ullage -Scope Global -ValueOnly -ErrorAction Ignore)) { $global:__ullage = @{ Asked = 0 } }
$global:__ullage['Program'] = Get-Variable -Name __ullage_program -ValueOnly -ErrorAction Ignore
if ($null -eq $global:__ullage['Program']) { $global:__ullage['Program'] = 'ullage' }
$global:__ullage['Place'] = Get-Variable -Name __ullage_place -ValueOnly -ErrorAction Ignore
if ($null -eq $global:__ullage['Place']) { $global:__ullage['Place'] = 'left' }
$global:__ullage['Key'] = $null
# Under strict mode a variable that was never set cannot be asked for.
if ($null -eq (Get-Variable -Name LASTEXITCODE -Scope Global -ErrorAction Ignore)) { $global:LASTEXITCODE = $null }

function global:ullage_on { $env:ULLAGE_OFF = $null }
function global:ullage_off { $env:ULLAGE_OFF = '1' }
function global:Get-UllageSegment { __ullage_update; $global:__ullage['Text'] }

# All that decides where the timeline is.
function global:__ullage_key {
    [string]::Join("`n", @(
        $env:ULLAGE_TRUSTED_CACHE, $env:ULLAGE_CACHE_DIR, $env:LOCALAPPDATA, $env:XDG_CACHE_HOME, $env:HOME,
        $env:CLAUDE_CONFIG_DIR, $env:NO_COLOR, $env:TERM, $env:LC_ALL, $env:LC_CTYPE, $env:LANG
    ))
}

# The rule of src/ullage/system/places.py; File is empty where there is none.
function global:__ullage_locate($it) {
    $it['File'] = ''
    $it['Header'] = ''
    $it['Text'] = ''
    $windows = [IO.Path]::DirectorySeparatorChar -eq '\'
    $absolute = if ($windows) { '\A(?:[A-Za-z]:[\\/]|[\\/])' } else { '\A/' }
    # Another fills a trusted cache; it is only read, whoever owns its files.
    $root = "$env:ULLAGE_TRUSTED_CACHE"
    if ($root -eq '') { $root = "$env:ULLAGE_CACHE_DIR" }
    if ($root -eq '' -and $windows) {
        $root = "$env:LOCALAPPDATA\ullage\Cache"
    } elseif ($root -eq '' -and "$env:XDG_CACHE_HOME".StartsWith('/')) {
        $root = "$env:XDG_CACHE_HOME/ullage"
    } elseif ($root -eq '') {
        $macos = [IO.Directory]::Exists('/System/Library/CoreServices')
        $root = "$env:HOME" + $(if ($macos) { '/Library/Caches/ullage' } else { '/.cache/ullage' })
    }
    $profile_directory = "$env:CLAUDE_CONFIG_DIR"
    if (-not [regex]::IsMatch($root, $absolute)) { return }
    if ($profile_directory -ne '' -and -not [regex]::IsMatch($profile_directory, $absolute)) { return }
    if ([regex]::IsMatch("$root/$profile_directory/", '[\\/]\.\.[\\/]')) { return }
    $directory = [IO.Path]::Combine($root, 'default')
    if ($profile_directory -ne '') {
        if ($windows) { $profile_directory = $profile_directory.Replace(':', '') }
        $directory = [IO.Path]::Combine($root, 'profiles', $profile_directory.TrimStart([char[]]'/\'))
    }
    $surface = if ($it['Place'] -eq 'starship') { 'starship' } else { 'fish' }
    $colours = $windows -or "$env:TERM" -ne 'dumb'
    if ($windows -and -not $Host.UI.SupportsVirtualTerminal) { $colours = $false }
    if ("$env:NO_COLOR" -ne '' -or -not $colours) { $surface += '-plain' }
    $locale = "$env:LC_ALL"
    if ($locale -eq '') { $locale = "$env:LC_CTYPE" }
    if ($locale -eq '') { $locale = "$env:LANG" }
    # Windows takes any character, whatever its code page.
    if (-not $windows -and -not [regex]::IsMatch($locale, '(?i)utf-?8')) { $surface += '-ascii' }
    $it['Directory'] = $directory
    $it['File'] = [IO.Path]::Combine($directory, "$surface.timeline")
}

# Only a file of one's own, in a directory of one's own: on Windows it is by where it lies.
function global:__ullage_is_ours($it) {
    if ([IO.Path]::DirectorySeparatorChar -eq '\' -or "$env:ULLAGE_TRUSTED_CACHE" -ne '') { return $true }
    foreach ($path in @($it['Directory'], $it['File'])) {
        $item = Microsoft.PowerShell.Management\Get-Item -LiteralPath $path -Force
        $owner = $item.PSObject.Properties['User']
        if ($null -ne $owner -and $owner.Value -cne [Environment]::UserName) { return $false }
    }
    $true
}

function global:__ullage_update {
    $it = $global:__ullage
    try {
        $key = __ullage_key
        if ($it['Key'] -cne $key) {
            $it['Key'] = $key
            __ullage_locate $it
        }
        # Programs that drive a dumb terminal, TRAMP say, take the first line that ends in % for the prompt.
        $is_hidden = "$env:ULLAGE_OFF" -ne '' -or ("$env:TERM" -eq 'dumb' -and $it['Place'] -ne 'manual')
        if ($is_hidden -or $it['File'] -eq '') {
            $it['Text'] = ''
            $it['Header'] = ''
            return
        }
        __ullage_read $it ([DateTimeOffset]::UtcNow.ToUnixTimeSeconds())
    } catch {
        $it['Text'] = ''
    }
}

# Sets Text to the last frame that has begun; the header, with its checksum, tells one timeline from another.
function global:__ullage_read($it, $now) {
    $header = ''
    $frames = $null
    if ([IO.File]::Exists($it['File'])) {
        # So that nothing of this hinders the file from being replaced.
        $share = [IO.FileShare]::ReadWrite -bor [IO.FileShare]::Delete
        $stream = [IO.File]::Open($it['File'], [IO.FileMode]::Open, [IO.FileAccess]::Read, $share)
        try {
            $reader = [IO.StreamReader]::new($stream, [Text.UTF8Encoding]::new($false))
            $header = "$($reader.ReadLine())"
            if ($header -ceq $it['Header'] -and $it['From'] -le $now -and $now -lt $it['Until']) { return }
            $frames = $reader.ReadToEnd()
        } finally {
            $stream.Dispose()
        }
    }
    $it['Header'] = ''
    $it['Text'] = ''
    $times = [regex]::Match($header, '\Aullage-timeline 1 ([0-9]{1,15}) ([0-9]{1,15})(?: |\z)')
    $due = 0
    if ($times.Success -and (__ullage_is_ours $it)) {
        $due = [long]$times.Groups[2].Value
        if ($now -lt [long]$times.Groups[1].Value) { $due = 0 }
        $it['Header'] = $header
        $it['From'] = 0
        $it['Until'] = [long]::MaxValue
        foreach ($line in $frames.Split([char]10)) {
            $frame = [regex]::Match($line, '\A([0-9]{1,15}) \S* (.*)\z')
            if (-not $frame.Success) { break }
            $begins = [long]$frame.Groups[1].Value
            if ($begins -gt $now) {
                $it['Until'] = $begins
                break
            }
            $it['From'] = $begins
            $it['Text'] = $frame.Groups[2].Value
        }
        # From then on every prompt looks whether a refresh is due.
        if ($due -lt $it['Until']) { $it['Until'] = [Math]::Max($due, $now) }
    }
    if ($due -le $now) { __ullage_refresh $it $now }
}

function global:__ullage_refresh($it, $now) {
    if ("$env:ULLAGE_TRUSTED_CACHE" -ne '') { return }
    if ($it['Asked'] -le $now -and $now -lt $it['Asked'] + 30) { return }
    $it['Asked'] = $now
    $start = [Diagnostics.ProcessStartInfo]::new($it['Program'], 'refresh --detach')
    $start.UseShellExecute = $false
    $start.CreateNoWindow = $true
    $start.RedirectStandardInput = $true
    $start.RedirectStandardOutput = $true
    $start.RedirectStandardError = $true
    [Diagnostics.Process]::Start($start).Dispose()
}

# Loaded a second time, it is there already.
if ($global:__ullage['Place'] -ne 'manual' -and -not "$function:prompt".Contains('__ullage')) {
    $global:__ullage['Theirs'] = $function:prompt
    function global:prompt {
        $ullage_was_well = $global:?
        $ullage_code = $global:LASTEXITCODE
        __ullage_update
        $ullage_text = $global:__ullage['Text']
        if ($global:__ullage['Place'] -eq 'starship') {
            $env:ULLAGE_SEGMENT = $ullage_text
            $ullage_text = ''
        }
        $global:LASTEXITCODE = $ullage_code
        # Theirs sees how the last command ended, as if it were called itself.
        if (-not $ullage_was_well) { Microsoft.PowerShell.Utility\Write-Error '' -ErrorAction Ignore }
        $ullage_shown = @(& $global:__ullage['Theirs'])
        $ullage_shown = if ($ullage_shown.Count -gt 0) { [string]$ullage_shown[0] } else { '' }
        if ($ullage_text -ne '') {
            # After the empty lines that some like before a prompt.
            $ullage_lines = [regex]::Match($ullage_shown, '\A[\r\n]*').Value
            $ullage_shown = $ullage_lines + $ullage_text + ' ' + $ullage_shown.Substring($ullage_lines.Length)
        }
        $ullage_shown
        $global:LASTEXITCODE = $ullage_code
        if (-not $ullage_was_well) { Microsoft.PowerShell.Utility\Write-Error '' -ErrorAction Ignore }
    }
}
