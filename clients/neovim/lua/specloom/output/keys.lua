--- Keys of an output buffer. Refuses global maps, and keys that people use to read.
local M = {}

---@param output specloom.Output
---@return specloom.Row?
local function row_of(output)
  return output.sheet.rows[vim.api.nvim_win_get_cursor(0)[1]]
end

---@param output specloom.Output
---@return string? path
---@return integer? line
local function target(output)
  local row = row_of(output)
  if row and row.path then
    return row.path, row.line
  end
  local word = vim.fn.expand("<cWORD>"):gsub("^[%(%[`'\"]+", "")
  local path, line = word:match("^([^:`'\",;%)]+):?(%d*)")
  return path, tonumber(line)
end

---@param output specloom.Output
---@return boolean whether there was a file to go to
local function go(output)
  local path, line = target(output)
  local whole = path and (vim.startswith(path, "/") and path or output.connection.root .. "/" .. path)
  local found = whole and vim.uv.fs_stat(whole)
  if not found or found.type ~= "file" then
    return false
  end
  local places = require("specloom.tree.places")
  places.open(output.connection, { uri = vim.uri_from_fname(whole), line = line and line - 1 or 0 }, "edit")
  return true
end

---@param output specloom.Output
local function withdraw(output)
  local row = row_of(output)
  if row and row.prompt then
    output.connection:order("specloom/prompt/withdraw", { promptId = row.prompt })
  end
end

---@type { [1]: string, [2]: string, [3]: fun(output: specloom.Output) }[]
local KEYS = {
  {
    "i",
    "say something to the agent",
    function(output)
      require("specloom.output.say").open(output.connection, output.agent)
    end,
  },
  { "x", "take back words that the agent has not heard", withdraw },
  {
    "gf",
    "go to the file under the cursor",
    function(output)
      if not go(output) then
        vim.notify("Specloom: no file is named here", vim.log.levels.INFO, { title = "Specloom" })
      end
    end,
  },
  {
    "<CR>",
    "go to the file, else open or close the fold",
    function(output)
      if not go(output) and vim.fn.foldlevel(".") > 0 then
        vim.cmd("normal! za")
      end
    end,
  },
  {
    "<Tab>",
    "open or close the fold",
    function()
      if vim.fn.foldlevel(".") > 0 then
        vim.cmd("normal! za")
      end
    end,
  },
  {
    "q",
    "close",
    function()
      if #vim.api.nvim_tabpage_list_wins(0) > 1 then
        vim.api.nvim_win_close(0, true)
      else
        vim.cmd.enew()
      end
    end,
  },
}

local function help()
  local keys = vim.list_extend({}, KEYS)
  keys[#keys + 1] = { "G", "follow the end again" }
  require("specloom.tree.help").show("Output", keys)
end

---@param output specloom.Output
function M.map(output)
  for _, key in ipairs(KEYS) do
    vim.keymap.set("n", key[1], function()
      key[3](output)
    end, { buffer = output.buf, nowait = true, silent = true, desc = "Specloom: " .. key[2] })
  end
  vim.keymap.set("n", "g?", help, { buffer = output.buf, nowait = true, desc = "Specloom: keys" })
end

return M
