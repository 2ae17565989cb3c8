# Runs the hook for real, in Windows PowerShell 5.1 or PowerShell 7: powershell.ps1 PYTHON. The workflow does that.
param([Parameter(Mandatory = $true)][string]$Python)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $false

function Assert-Equal($found, $expected, $what) {
    if ($found -cne $expected) { throw "${what}: $found, and not $expected" }
    Write-Output "ok: $what"
}

$directory = Join-Path ([IO.Path]::GetTempPath()) ([Guid]::NewGuid().ToString())
$null = New-Item -ItemType Directory -Path $directory
$env:ULLAGE_CACHE_DIR = $directory
$env:CLAUDE_CONFIG_DIR = ''
$env:LC_ALL = 'C.UTF-8'
$env:TERM = 'xterm-256color'
$fill = 'import os, sys, time; from ullage.setup import started; started.fill(sys.argv[1], sys.argv[2], int(time.time()), os.environ)'
& $Python -c $fill $directory "42%$([char]0x2501)"

function global:prompt { $was_well = $?; "`nmine $was_well $global:LASTEXITCODE> " }
$hook = & $Python -c "import sys; from ullage.setup import init; sys.stdout.buffer.write(init.build_code('pwsh', None))" | Out-String
Invoke-Expression $hook
Invoke-Expression $hook

$bar = [char]0x2501
& $Python -c 'raise SystemExit(3)'
$shown = prompt
Assert-Equal $shown "`n42%$bar mine False 3> " 'a prompt after a failure'
Assert-Equal $LASTEXITCODE 3 'the exit code after the prompt'
& $Python -c ''
Assert-Equal (prompt) "`n42%$bar mine True 0> " 'a prompt after a success'
ullage_off
Assert-Equal (prompt) "`nmine True 0> " 'a prompt where it is hidden'
ullage_on
Assert-Equal (Get-UllageSegment) "42%$bar" 'the segment by itself'

# What is written anew while it is read is shown at the next prompt.
Remove-Item -Recurse -Path (Join-Path $directory 'default')
& $Python -c $fill $directory '43%'
Assert-Equal (Get-UllageSegment) '43%' 'the segment after a refresh'

# What the user defines stands for nothing in the hook.
function global:Get-Item { throw 'mine' }
function global:Write-Error { throw 'mine' }
Assert-Equal (Get-UllageSegment) '43%' 'the segment beside functions of these names'
Remove-Item -Path 'Function:Get-Item', 'Function:Write-Error'
Remove-Item -Recurse -Path $directory
