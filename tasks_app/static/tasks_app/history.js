/** The page of a transcript's history. */

import { localiseTimes } from "./words.js";

localiseTimes(document);
