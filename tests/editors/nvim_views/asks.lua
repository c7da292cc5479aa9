-- A run as a server told it: the plugin asks for one snapshot at its begin, and knows at its end what another would say.
package.path = vim.fs.dirname(debug.getinfo(1, "S").source:sub(2)) .. "/?.lua;" .. package.path
local loopback = require("loopback")
local differences = require("differences")

local lines = vim.tbl_map(function(line)
  return vim.json.decode(line, { luanil = { object = true } })
end, vim.fn.readfile(vim.env.STORY_ROOT .. "/run.jsonl"))
local connection = loopback.start(lines[1], vim.env.STORY_ROOT)
require("specloom.tree").open(connection)
for number = 2, #lines - 1 do
  loopback.replay(lines[number])
end
-- Longer than a refresh is put off.
loopback.settle(150)
local asked = vim.tbl_filter(function(request)
  return request.method == "specloom/project/get"
end, loopback.asked)
local wrong = differences(connection.projection, require("specloom.projection").new(lines[#lines]))
print(("%d snapshots, at seq %d\n%s"):format(#asked, connection.seq, table.concat(wrong, "\n")))
os.exit(#asked == 1 and #wrong == 0 and connection.seq == lines[#lines].seq and 0 or 1)
