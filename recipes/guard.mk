# Room in the Claude plan, for make: `include guard.mk`, then let a target depend on `room`.
#
#     review: room
#             claude -p 'Review the last commit'
#
# make review ROOM='--max five_hour=80 --need 20%'

ULLAGE ?= ullage
ROOM ?= --max 90 --refresh

.PHONY: room
room:
	@$(ULLAGE) guard --quiet $(ROOM)
