--- Windows of ours: with a text that is read and closed, below the others or in the middle, or with a view of a project.
--- Refuses changes by hand.
local M = {}

-- Columns that are still read with ease.
local WIDEST = 92
-- Neovim's own windows have up to 250.
local ABOVE_ALL = 300

-- What a new window takes over from the one that it was split from.
local BARE = {
  number = false,
  relativenumber = false,
  signcolumn = "no",
  foldcolumn = "0",
  statuscolumn = "",
  list = false,
  spell = false,
  cursorcolumn = false,
  colorcolumn = "",
  conceallevel = 0,
  rightleft = false,
  diff = false,
  scrollbind = false,
  cursorbind = false,
}

---Gives the current window options of its own.
---@param options table<string, any>
---@param statusline string
function M.dress(options, statusline)
  options = vim.tbl_extend("force", BARE, options, { statusline = " " .. statusline })
  for name, value in pairs(options) do
    vim.api.nvim_set_option_value(name, value, { scope = "local", win = 0 })
  end
  vim.opt_local.fillchars:append({ eob = " ", fold = " " })
end

---A buffer for a view of a project, which looks the same in all windows; what it shows is up to the caller.
---@param name string
---@param connection specloom.Connection
---@param look { options: table<string, any>, statusline: string } of its windows
---@param found? integer a buffer of that name that is to become the view
---@return integer buf
function M.buffer(name, connection, look, found)
  name = "specloom://" .. name
  for _, old in ipairs(found and {} or vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_get_name(old) == name then
      -- What was unloaded is no view any more.
      vim.api.nvim_buf_delete(old, { force = true })
    end
  end
  local buf = found or vim.api.nvim_create_buf(false, true)
  if not found then
    vim.api.nvim_buf_set_name(buf, name)
  end
  local bo = vim.bo[buf]
  -- Unlike `nofile`, it is part of sessions, and `:edit` reads it again.
  bo.buftype, bo.bufhidden, bo.buflisted, bo.swapfile = "nowrite", "hide", false, false
  bo.modifiable, bo.undolevels = false, -1
  vim.b[buf].specloom_root = connection.root
  local function dress()
    M.dress(look.options, look.statusline)
  end
  local group = vim.api.nvim_create_augroup("specloom.view" .. buf, {})
  vim.api.nvim_create_autocmd("BufWinEnter", { group = group, buffer = buf, callback = dress })
  vim.api.nvim_create_autocmd("BufWinLeave", {
    group = group,
    buffer = buf,
    callback = function()
      if vim.api.nvim_get_current_buf() == buf then
        -- Neovim leaves it to the window, whatever is shown there next.
        vim.api.nvim_set_option_value("winfixwidth", false, { scope = "local", win = 0 })
      end
    end,
  })
  for _, window in ipairs(vim.fn.win_findbuf(buf)) do
    vim.api.nvim_win_call(window, dress)
  end
  return buf
end

---Makes a buffer a view that Neovim reads, as it does for a session, and for `:edit` in a view.
---@param buf integer
function M.read(buf)
  local kind, root = vim.api.nvim_buf_get_name(buf):match("^specloom://(%a+)(/.+)$")
  local agent = kind == "output" and root:match("[^/]+$") or nil
  if kind ~= "tree" and not agent then
    return
  end
  vim.bo[buf].buftype, vim.bo[buf].swapfile = "nowrite", false
  root = agent and root:sub(1, -#agent - 2) or root
  local taken = false
  require("specloom.client").known(root, function(connection)
    taken = true
    if vim.api.nvim_buf_is_loaded(buf) then
      require("specloom." .. kind).take(connection, buf, agent)
    end
  end)
  if not taken then
    require("specloom.server").start(root, true)
  end
end

---@param window integer
function M.close(window)
  -- The last window cannot be closed.
  if not pcall(vim.api.nvim_win_close, window, true) then
    vim.api.nvim_win_call(window, vim.cmd.enew)
  end
end

---@param buf integer
---@param lines string[]
---@param keys string[] that close it
local function fill(buf, lines, keys)
  vim.bo[buf].modifiable = true
  vim.api.nvim_buf_set_lines(buf, 0, -1, false, lines)
  vim.bo[buf].modifiable, vim.bo[buf].modified, vim.bo[buf].bufhidden = false, false, "wipe"
  local function close()
    M.close(0)
  end
  for _, key in ipairs(keys) do
    vim.keymap.set("n", key, close, { buffer = buf, nowait = true, desc = "Close" })
  end
end

--- Below the others; the same name reuses it, and `q` closes it.
---@param name string
---@param lines string[]
---@param filetype? string
function M.show(name, lines, filetype)
  local full = "specloom://" .. name
  local buf = vim.fn.bufnr("^" .. full .. "$")
  if buf == -1 then
    buf = vim.api.nvim_create_buf(false, true)
    vim.api.nvim_buf_set_name(buf, full)
    vim.bo[buf].filetype = filetype or "markdown"
  end
  fill(buf, lines, { "q" })
  if vim.fn.bufwinid(buf) == -1 then
    vim.cmd(("botright %dsplit"):format(math.min(#lines + 1, math.floor(vim.o.lines / 2))))
    vim.api.nvim_win_set_buf(0, buf)
    vim.api.nvim_set_option_value("linebreak", true, { scope = "local", win = 0 })
  end
end

--- As large as its text, wrapped at words. In the middle, where any way out of it closes it; or at the top, above all
--- that others open, where nobody goes.
---@param lines string[]
---@param frame table title and footer
---@param above? boolean at the top
---@return integer buf
---@return integer window
function M.float(lines, frame, above)
  local buf = vim.api.nvim_create_buf(false, true)
  fill(buf, lines, { "q", "<Esc>", "<C-c>" })
  local width = vim.api.nvim_strwidth(frame.title)
  for _, line in ipairs(vim.list_extend({ frame.footer }, lines)) do
    width = math.max(width, vim.api.nvim_strwidth(line) + 1)
  end
  local place = { relative = "editor", width = math.min(width, WIDEST, vim.o.columns - 4), height = 1, row = 0 }
  place.col = math.floor((vim.o.columns - place.width) / 2) - 1
  frame = vim.tbl_extend("error", frame, { style = "minimal", border = "rounded", title_pos = "center" })
  frame.footer_pos = frame.footer and "center"
  frame.zindex, frame.focusable = above and ABOVE_ALL or nil, not above
  local window = vim.api.nvim_open_win(buf, not above, vim.tbl_extend("error", place, frame))
  local wo = vim.wo[window]
  wo.wrap, wo.linebreak, wo.breakindent, wo.breakindentopt = true, true, true, "shift:3"
  place.height = math.max(1, math.min(vim.api.nvim_win_text_height(window, {}).all, vim.o.lines - 6))
  place.row = above and 0 or math.max(0, math.floor((vim.o.lines - place.height) / 2) - 1)
  vim.api.nvim_win_set_config(window, place)
  if above then
    return buf, window
  end
  vim.api.nvim_create_autocmd("WinLeave", {
    buffer = buf,
    callback = vim.schedule_wrap(function()
      pcall(vim.api.nvim_win_close, window, true)
    end),
  })
  return buf, window
end

return M
